import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, table } from '../../src/main/operate/table.ts';

test('what is somebody else’s text stays in its row, and moves no terminal', () => {
  const columns: readonly Column<string>[] = [
    ['text', (text) => text],
    ['length', (text) => text.length],
  ];
  const rows = ['plain', 'two\r\nlines', '\u001b[2J\u001b]0;title\u0007', '\u009b1A', ''];
  assert.equal(
    table(columns, rows, 'none'),
    [
      'TEXT         LENGTH',
      'plain        5',
      'two lines    10',
      '[2J ]0;title  14',
      '1A           3',
      '-            0',
      '',
    ]
      .join('\n')
      .replaceAll(/^(TEXT|plain|two lines|1A|-) +/gm, (all, word) => `${word.padEnd(14)}`),
  );
  assert.equal(table(columns, [], 'none'), 'none\n');
});
