import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerfileRefusal, stepRefusal } from '../../src/core/images/dockerfile-rules.ts';

const start = 'FROM base\n';

test('a Dockerfile that has the builder fetch something is refused, however it is written', () => {
  for (const text of [
    'ADD http://169.254.169.254/latest /x',
    'add https://example.com/a /x',
    'ADD --chown=1:1 --checksum=sha256:0 https://example.com/a /x',
    '  ADD\thttp://x /y',
    '\u0085ADD http://x /y',
    'ADD a.tar http://x /y',
    'ADD ["http://x", "/y"]',
    'ADD ["a", "http://x", "/y"]',
    'ADD [http://x "/y"]',
    'ADD "ht"tp://x /y',
    'ADD ht\\tp\\://x /y',
    'ADD git@github.com:a/b.git /x',
    'ADD github.com/a/b /x',
    'ADD $ADDRESS /x',
    `ADD $${'{ADDRESS}'}/a /x`,
    'ONBUILD ADD http://x /y',
    'AD\\\nD http://x /y',
    'ADD ht\\\ntp://x /y',
    'ADD \\\n# comment\n\n  http://x /y',
    '# comment \\\nADD http://x /y',
    'RUN true \\\n\nADD http://x /y',
    'RUN true \\\\\nADD http://x /y',
    'RUN true\\ x\nADD http://x /y',
    'RUN cat <<"E\\\\"\nE\\\nADD http://x /y',
    '# escape=`\nRUN true \\\nADD http://x /y',
    '# escape=`\nADD h`\nttp://x /y\r\n',
    'RUN true `\nADD http://x /y',
    `ADD \\\n${'# comment\n'.repeat(100)}http://x /y`,
    `AD\\\n${'\n'.repeat(100)}D http://x /y`,
    `ADD ${'a '.repeat(5_000)} \\\n http://x /y`,
  ])
    assert.match(dockerfileRefusal(text.startsWith('#') ? text + start : start + text) ?? '', /^ADD takes files/, text);
  for (const line of [
    '# syntax=evil/frontend',
    '#syntax = evil/frontend:1',
    '// syntax=evil/frontend',
    '# syntax=registry.test/docker/dockerfile:1',
    '# syntax=docker/dockerfile/more',
    '# syntax=docker/dockerfile-upstream:master',
  ])
    assert.match(dockerfileRefusal(`${line}\n${start}`) ?? '', /docker\/dockerfile, of any version/, line);
});

test('what a Dockerfile says otherwise is left to the builder', () => {
  for (const text of [
    '',
    'ADD rootfs.tar.gz /\nADD a b $HOME/\nADD --chown=$USER a /x',
    'ADD ["a b", "/x:y"]\nADD *.jar /app/',
    'COPY $FILE http://x\nRUN curl -f https://example.com/a',
    'RUN apk update && apk \\\n  add $PACKAGES "curl>8"',
    'RUN apk \\\n  add --repository=http://x \\\n  curl',
    'COPY <<EOF /x\nhello\nEOF\nRUN true',
    'ENV ADD http://x\nLABEL add="http://x"\nADDITION',
    '# ADD http://x /y',
    `RUN apk add \\\n${'  curl \\\n'.repeat(200)}  git`,
  ])
    assert.equal(dockerfileRefusal(start + text), null, text);
  for (const line of [
    '# syntax=docker/dockerfile:1',
    '#syntax=docker.io/docker/dockerfile:1.7-labs',
    `# syntax=docker/dockerfile@sha256:${'a'.repeat(64)}`,
  ])
    assert.equal(dockerfileRefusal(`${line}\r\n${start}`), null, line);
});

test('no Dockerfile makes the platform think for long', () => {
  const startedMs = performance.now();
  for (const line of ['\\\n', 'ADD a \\\n', '#\n\\\n', ' \n', '$'])
    for (const first of ['', 'RUN <<EOF\n']) dockerfileRefusal(first + line.repeat(2 ** 17 / line.length - 8));
  assert.ok(performance.now() - startedMs < 4_000);
  assert.match(dockerfileRefusal(' '.repeat(2 ** 20)) ?? '', /longer than 128 KiB/);
});

test('a step that fetches is known by what BuildKit calls it', () => {
  for (const name of [
    '[2/3] ADD http://x /y',
    '[one 2/3] ADD $X /y',
    'http://x/y',
    'https://x',
    'git://github.com/a/b',
  ])
    assert.notEqual(stepRefusal(name), null, name);
  for (const name of [
    '[2/3] ADD . /app',
    '[2/3] RUN curl http://x',
    '[internal] load metadata for docker.io/a',
    'importing http',
    'docker-image://docker.io/a',
  ])
    assert.equal(stepRefusal(name), null, name);
});
