/**
 * Serves a folder of files to browsers. Copied whole into the artifact of a static site and run there: `node static-server.ts <port>`
 * in the site's folder. Imports nothing but Node.
 *
 * static.json, all optional: `root` (folder), `clean_urls` (`/about` finds about.html), `error_page` (for 404), `routes` (pattern with
 * `*` within or `**` across folders → file, where no file fits), `headers` (pattern → name → value).
 */
import { createReadStream, readFileSync, realpathSync, type Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream';

interface Settings {
  readonly root?: string;
  readonly clean_urls?: boolean;
  readonly error_page?: string;
  readonly routes?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

interface Found {
  readonly path: string;
  readonly stats: Stats;
}

const types: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.otf': 'font/otf',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
};
/** What a site's folder holds for the platform and not for visitors. */
const hidden = new Set(['Procfile', 'static.json']);

const settings = readSettings();
const site = realpathSync(settings.root ?? '.');

function readSettings(): Settings {
  try {
    return JSON.parse(readFileSync('static.json', 'utf8')) as Settings;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** The URL's path, decoded; null when it is malformed or names what is hidden. Empty components and dots are resolved by URL. */
function sitePath(target: string): string | null {
  try {
    const path = decodeURIComponent(new URL(target, 'http://site.invalid').pathname);
    const parts = path.split('/');
    if (path.includes('\0') || path.includes('\\') || parts.includes('..')) return null;
    if (parts.some((part) => part.startsWith('.') && part !== '.well-known')) return null;
    return hidden.has(parts[1] ?? '') && parts.length === 2 ? null : path;
  } catch {
    return null;
  }
}

/** A file inside the site, links followed and checked; null for anything else. */
async function findFile(path: string): Promise<Found | null> {
  try {
    const real = await realpath(join(site, path));
    if (real !== site && !real.startsWith(site === sep ? sep : site + sep)) return null;
    const stats = await stat(real);
    return stats.isFile() ? { path: real, stats } : null;
  } catch {
    return null;
  }
}

function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.*' : '[^/]*'));
  return new RegExp(`^${source}$`).test(path);
}

async function resolveFile(path: string): Promise<Found | null> {
  const direct = path.endsWith('/') ? await findFile(`${path}index.html`) : await findFile(path);
  if (direct !== null) return direct;
  if (settings.clean_urls === true && !path.endsWith('/')) {
    const clean = await findFile(`${path}.html`);
    if (clean !== null) return clean;
  }
  for (const [pattern, file] of Object.entries(settings.routes ?? {}))
    if (matches(pattern, path)) return findFile(file);
  return null;
}

/** First and last byte of a `Range` of one part; `invalid` when it lies outside; null to send the whole. */
function parseRange(header: string | undefined, size: number): { from: number; to: number } | 'invalid' | null {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < from) return null;
  return from > to ? 'invalid' : { from, to };
}

function sendText(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  response.end(`${text}\n`);
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  found: Found,
  path: string,
  status: number,
): void {
  const { size, mtimeMs } = found.stats;
  const etag = `"${size.toString(16)}-${Math.trunc(mtimeMs).toString(16)}"`;
  response.setHeader('content-type', types[extname(found.path).toLowerCase()] ?? 'application/octet-stream');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('etag', etag);
  response.setHeader('last-modified', found.stats.mtime.toUTCString());
  response.setHeader('cache-control', 'no-cache');
  for (const [pattern, extra] of Object.entries(settings.headers ?? {})) {
    if (matches(pattern, path)) for (const [name, value] of Object.entries(extra)) response.setHeader(name, value);
  }
  if (status === 200 && isFresh(request, etag, found.stats)) {
    response.writeHead(304).end();
    return;
  }
  const wanted = status === 200 && (request.headers['if-range'] ?? etag) === etag;
  const range = wanted ? parseRange(request.headers.range, size) : null;
  if (range === 'invalid') {
    sendText(response, 416, 'range not satisfiable', { 'content-range': `bytes */${size}` });
    return;
  }
  const { from, to } = range ?? { from: 0, to: size - 1 };
  response.setHeader('content-length', to - from + 1);
  if (range !== null) response.setHeader('content-range', `bytes ${from}-${to}/${size}`);
  response.writeHead(range === null ? status : 206);
  if (request.method === 'HEAD' || size === 0) response.end();
  else pipeline(createReadStream(found.path, { start: from, end: to }), response, () => {});
}

function isFresh(request: IncomingMessage, etag: string, stats: Stats): boolean {
  const tags = request.headers['if-none-match'];
  if (tags !== undefined) return tags.split(',').some((tag) => [etag, `W/${etag}`, '*'].includes(tag.trim()));
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  return Math.trunc(stats.mtimeMs / 1000) * 1000 <= since;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sendText(response, 405, 'method not allowed', { allow: 'GET, HEAD' });
  }
  const path = sitePath(request.url ?? '/');
  if (path === null) return sendText(response, 404, 'not found');
  const found = await resolveFile(path);
  if (found !== null) return sendFile(request, response, found, path, 200);
  if (!path.endsWith('/') && (await findFile(`${path}/index.html`)) !== null) {
    // One slash only: `//host` in a Location would leave the site.
    return sendText(response, 301, 'moved', { location: `${encodeURI(path).replace(/^\/+/, '/')}/` });
  }
  const page = settings.error_page === undefined ? null : await findFile(settings.error_page);
  if (page === null) return sendText(response, 404, 'not found');
  return sendFile(request, response, page, path, 404);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    if (response.headersSent) response.destroy();
    else sendText(response, 500, 'internal error');
  });
});

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

server.listen(Number(process.argv[2]), () => console.log(`Serving files on port ${process.argv[2]}`));
