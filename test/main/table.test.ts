import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, table } from '../../src/main/operate/table.ts';

test('what is somebody else’s text stays in its row, and moves no terminal', () => {
  const columns: readonly Column<string>[] = [['text', (text) => text]];
  const rows = ['plain', 'two\r\nlines', '\u001b[2J\u001b]0;title\u0007', '\u009b1A', ''];
  assert.equal(table(columns, rows, 'none'), 'TEXT\nplain\ntwo lines\n[2J ]0;title\n1A\n-\n');
  assert.equal(table(columns, [], 'none'), 'none\n');
});
