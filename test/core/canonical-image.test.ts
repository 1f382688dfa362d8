import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalImage, imageDigest, imageText } from '../../src/core/images/canonical-image.ts';
import { refusedAs } from '../support/sign-in.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

test('images are read as Docker reads them', () => {
  const read: readonly [string, string][] = [
    ['ubuntu', 'docker.io/library/ubuntu:latest'],
    ['ubuntu:24.04', 'docker.io/library/ubuntu:24.04'],
    ['someone/app', 'docker.io/someone/app:latest'],
    ['index.docker.io/ubuntu', 'docker.io/library/ubuntu:latest'],
    ['localhost/app:v1', 'localhost/app:v1'],
    ['Reg.Example.org:5000/team/deep/app:V_1.2-x', 'reg.example.org:5000/team/deep/app:V_1.2-x'],
    ['reg.example.org/app:1', 'reg.example.org/app:1'],
    [`reg:5000/app@${digest}`, `reg:5000/app@${digest}`],
    [`reg:5000/app:gone@${digest}`, `reg:5000/app@${digest}`],
    ['a/b/c__d--e', 'docker.io/a/b/c__d--e:latest'],
  ];
  for (const [text, whole] of read) {
    assert.equal(imageText(canonicalImage(text)), whole);
    assert.deepEqual(canonicalImage(whole), canonicalImage(text));
  }
  assert.equal(imageDigest(canonicalImage('ubuntu:1'), digest), `docker://docker.io/library/ubuntu@${digest}`);
});

test('what is no name of an image is refused', () => {
  const refused = [
    '',
    '/',
    'App',
    'a//b',
    'app:',
    'app:a:b',
    'app@',
    `app@sha256:${'0'.repeat(63)}`,
    `app@${digest}@${digest}`,
  ];
  refused.push('-host.example/app', 'host.example:0/app', 'a b', 'app:-x', '../app', `host.example/${'a'.repeat(512)}`);
  for (const text of refused) assert.throws(() => canonicalImage(text), refusedAs('invalid', 'malformed'), text);
});
