/** App sources made in memory: what tests deploy. */
import { gzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { archiveFolder } from '../../src/builders/archive-folder.ts';

/** A `data:` URI of a tgz with these files; the same files give the same bytes. */
export async function archiveUri(files: Readonly<Record<string, string>>): Promise<string> {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(files)) pack.entry({ name, mode: 0o644, mtime: new Date(0) }, content);
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return `data:application/gzip;base64,${gzipSync(Buffer.concat(chunks)).toString('base64')}`;
}

type TarEntry = Parameters<ReturnType<typeof tar.pack>['entry']>[0] & { readonly text?: string };

/** A `data:` URI of a tgz with exactly these entries, whatever they are. */
export async function tarUri(entries: readonly TarEntry[]): Promise<string> {
  const pack = tar.pack();
  for (const { text, ...header } of entries) {
    if (text === undefined) pack.entry(header);
    else pack.entry({ ...header, size: Buffer.byteLength(text) }, text);
  }
  pack.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of pack) chunks.push(chunk as Buffer);
  return `data:application/gzip;base64,${gzipSync(Buffer.concat(chunks)).toString('base64')}`;
}

/** A `data:` URI of a folder of examples/. */
export async function exampleUri(name: string): Promise<string> {
  const archive = await archiveFolder(new URL(`../../examples/${name}`, import.meta.url).pathname);
  return `data:application/gzip;base64,${archive.toString('base64')}`;
}

/**
 * A web app that says its version and instance on `/`, waits on `/slow?ms=`, and ends requests in flight before it exits. `marker` is in its
 * argument vector, so that its processes can be counted.
 */
export function versionedApp(version: string, marker: string): Readonly<Record<string, string>> {
  return {
    Procfile: `web: node server.js ${marker}\n`,
    'package.json': '{"name":"versioned","private":true}',
    'server.js': `const http = require('http');
const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://app');
  const answer = () => response.end(JSON.stringify({ version: ${JSON.stringify(version)}, instance: process.env.BERTH_INSTANCE }));
  const ms = Number(url.searchParams.get('ms') || 0);
  if (ms > 0) setTimeout(answer, ms); else answer();
});
server.listen(process.env.PORT);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`,
  };
}

/** Answers with its version and its config's GREETING; ends requests in flight before it exits. `marker` as in `versionedApp`. */
export function greetingApp(version: string, marker: string): Readonly<Record<string, string>> {
  return {
    ...versionedApp(version, marker),
    'server.js': `const server = require('http').createServer((request, response) => {
  response.end(${JSON.stringify(version)} + ' ' + process.env.GREETING);
});
server.listen(process.env.PORT);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`,
  };
}

/** An app whose build waits for ever, with `marker` in the arguments of its processes. */
export function waitingBuild(marker: string): Readonly<Record<string, string>> {
  return {
    Procfile: 'web: node server.js\n',
    'package.json': JSON.stringify({ name: 'waiting', private: true, scripts: { build: `node wait.js ${marker}` } }),
    'wait.js': "console.log('waiting');\nsetInterval(() => {}, 60000);\n",
  };
}
