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

/** What `unicode.IsSpace` of Go says yes to, but for the end of a line. */
const spaces = [...'\t\v\f\r \u0085\u00a0\u1680\u2000\u2009\u200a\u2028\u2029\u202f\u205f\u3000'];

test('another syntax is refused wherever a newer BuildKit finds one', () => {
  const foreign = /docker\/dockerfile, of any version/;
  for (const space of spaces)
    for (const comment of ['#', '//'])
      for (const line of [`${comment}${space}syntax=evil/f`, `${comment}${space}SYNTAX${space}=${space}evil/f x`])
        for (const before of ['', '\uFEFF', '#!/usr/bin/env docker\n', '# escape=`\r\n', `${space}\n`])
          assert.match(dockerfileRefusal(`${before}${line}\n${start}`) ?? '', foreign, JSON.stringify(before + line));
  for (const line of ['# syntax=docker/dockerfile:1\tx', '# syntax=', '#syntax=evil/f\r'])
    assert.match(dockerfileRefusal(`${line}\n${start}`) ?? '', foreign, line);
  const json = JSON.stringify({ syntax: 'evil/frontend:1' });
  for (const before of ['', '\uFEFF', '\n \t\r\n', '#!/usr/bin/env docker\n', '\uFEFF#!\r\n\n  '])
    for (const text of [json, `{\n${json.slice(1)}\n`, `{ "FROM": "x", "\\u0073yntax": "evil/f" }`])
      assert.match(dockerfileRefusal(before + text) ?? '', /begins with an instruction, not with \{/, before + text);
});

test('a Dockerfile is read with the spaces, ends and escapes that BuildKit knows', () => {
  for (const space of spaces)
    for (const text of [
      `${space}ADD http://x /y`,
      `ONBUILD ${space}ADD http://x /y`,
      `ADD ${space}http://x /y`,
      `ADD --chown=1:1${space}http://x /y`,
      `RUN true \\\n${space}\n${space}# it\nADD http://x /y`,
    ])
      assert.match(dockerfileRefusal(start + text) ?? '', /^ADD takes files/, JSON.stringify(text));
  for (const space of spaces)
    assert.match(
      dockerfileRefusal(`#${space}escape${space}=${space}\`\n${start}ADD \`\nhttp://x /y`) ?? '',
      /^ADD takes files/,
      JSON.stringify(space),
    );
  for (const text of [
    // No space to Go: a destination.
    'ADD http://x \uFEFF',
    'ADD http://x \\\n\uFEFF',
    // Flags are cut byte by byte, and à is C3 A0.
    'ADD --chown=àhttp://x /y',
    'ADD --chown=1 --x=àhttp://x /y',
    'ONBUİLD ADD http://x /y',
    'ADD http://x',
    // What looks like the end of a line that goes on is its last word.
    'RUN <<E\nE\nADD http://x `',
    'RUN <<E\nE\nADD a http://x `\n# that is all',
    'RUN true \\\r\r\nADD http://x /y',
    'ADD a http://x \\\r\r\n',
    'ADD git`hub.com/a/b /x',
  ])
    assert.match(dockerfileRefusal(start + text) ?? '', /^ADD takes files/, JSON.stringify(text));
  const backticks = '# escape=`\n';
  for (const text of ['ADD `\r\r\nhttp://x /y', 'ADD git`hub.com/a/b /x', 'ADD a http://x ``'])
    assert.match(dockerfileRefusal(backticks + start + text) ?? '', /^ADD takes files/, JSON.stringify(text));
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
    'ADD --chown=$USER:1000 --chmod=0644 --link a b /x/',
    'ADD a b \\\n  /x \\\n',
    'CMD { true; }',
    'RUN true && \\\n{ echo x; }',
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
    'resolve image config for docker.io/evil/frontend:1',
    'resolve image config for docker-image://127.0.0.1:5000/docker/dockerfile:1',
    'git://github.com/a/b',
  ])
    assert.notEqual(stepRefusal(name), null, name);
  for (const name of [
    '[2/3] ADD . /app',
    '[2/3] RUN curl http://x',
    '[internal] load metadata for docker.io/a',
    'importing http',
    'docker-image://docker.io/a',
    'resolve image config for docker.io/docker/dockerfile:1',
    'resolve image config for docker-image://docker.io/docker/dockerfile:1.7-labs',
  ])
    assert.equal(stepRefusal(name), null, name);
});
