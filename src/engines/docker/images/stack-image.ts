/**
 * The image under every artifact and of the platform's own containers, made of this machine's packages and the Node that Berth runs on,
 * once for each state of them. No registry is needed.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Pack } from 'tar-stream';
import { shownEtc } from '../../common/shown-etc.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';
import { failureIn } from '../api/progress.ts';
import { labels } from '../names.ts';
import { appUser } from '../settings.ts';
import { archiveOf, byTar, packed } from './archive.ts';
import { type StackFiles, stackFiles } from './stack-packages.ts';

/** To be raised with every change of what goes into the image. */
const format = '2';
export const stackRepository = 'berth-stack';
const importMs = 600_000;
const copied = [...shownEtc, 'debian_version', 'os-release', 'pki', 'python3.11', 'ssl'];
export const nodeInside = '/opt/berth/node/bin';

export class StackImage {
  readonly #api: DockerApi;
  readonly #nodePath: string;
  readonly #share: (reference: string) => Promise<boolean>;
  #reference: Promise<string> | null = null;

  /** `share` brings it from another node, where that is better than making it. */
  constructor(api: DockerApi, nodePath: string, share: (reference: string) => Promise<boolean> = async () => false) {
    this.#api = api;
    this.#nodePath = nodePath;
    this.#share = share;
  }

  /** A reference to it, made if this daemon does not have it yet. */
  ensure(): Promise<string> {
    this.#reference ??= this.#ensure().catch((error: unknown) => {
      this.#reference = null;
      throw error;
    });
    return this.#reference;
  }

  /** The daemon was away, and may have come back without it. */
  forget(): void {
    this.#reference = null;
  }

  async #ensure(): Promise<string> {
    const files = stackFiles();
    if (files === null) throw new Error('the image for apps is made of Debian’s packages, and this machine has none');
    const { size, mtimeMs } = lstatSync(this.#nodePath);
    const parts = [format, process.version, String(size), String(mtimeMs), ...files.packages];
    const tag = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
    const reference = `${stackRepository}:${tag}`;
    if (!(await hasImage(this.#api, reference)) && !(await this.#share(reference))) await this.#make(files, tag);
    return reference;
  }

  async #make(files: StackFiles, tag: string): Promise<void> {
    const bytes = archiveOf(
      packed((tar) => skeleton(tar, this.#nodePath)),
      machineFiles(files, this.#nodePath),
    );
    const answer = await this.#api.call<unknown>('POST', '/images/create', {
      query: { fromSrc: '-', repo: stackRepository, tag, changes: `LABEL ${labels.artifact}=` },
      content: { type: 'application/x-tar', bytes },
      timeoutMs: importMs,
    });
    const failure = failureIn(answer);
    if (failure !== null) throw new Error(`the image for apps cannot be made: ${failure.slice(0, 300)}`);
  }
}

export async function hasImage(api: DockerApi, reference: string): Promise<boolean> {
  try {
    await api.call('GET', `/images/${reference}/json`);
    return true;
  } catch (error) {
    if (isStatus(error, 404)) return false;
    throw error;
  }
}

/** What is not taken from the machine as it is: folders, accounts, names, the runtime. */
async function skeleton(tar: Pack, nodePath: string): Promise<void> {
  const folder = (name: string, mode = 0o755) => tar.entry({ name, mode, type: 'directory' });
  const link = (name: string, linkname: string) => tar.entry({ name, linkname, mode: 0o777, type: 'symlink' });
  for (const name of ['.', 'etc', 'proc', 'sys', 'dev', 'run', 'var']) folder(name);
  folder('tmp', 0o1777);
  folder('root', 0o700);
  link('var/tmp', '../tmp');
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'])
    if (existsSync(`/${name}`) && lstatSync(`/${name}`).isSymbolicLink()) link(name, readlinkSync(`/${name}`));
  const files = {
    passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\napp:x:${appUser}:${appUser}:app:/app:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
    group: `root:x:0:\napp:x:${appUser}:\nnogroup:x:65534:\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  };
  for (const [name, text] of Object.entries(files)) tar.entry({ name: `etc/${name}`, mode: 0o644 }, text);
  for (const name of ['opt', 'opt/berth', 'opt/berth/node', nodeInside.slice(1)]) folder(name);
  const node = { name: `${nodeInside.slice(1)}/node`, mode: 0o755, size: statSync(nodePath).size };
  await pipeline(createReadStream(nodePath), tar.entry(node));
  if (!existsSync(npmOf(nodePath))) return;
  folder(dirname(modulesInside));
  folder(modulesInside);
  for (const name of ['npm', 'npx'])
    link(`${nodeInside.slice(1)}/${name}`, `../lib/node_modules/npm/bin/${name}-cli.js`);
}

const modulesInside = join(nodeInside, '..', 'lib', 'node_modules').slice(1);
/** A version manager's prefix brings its own npm, whose links lead from bin to lib. */
const npmOf = (nodePath: string): string => join(dirname(nodePath), '..', 'lib', 'node_modules', 'npm');

/** Packages, certificates and npm, with none of the machine's own secrets or settings of its services. */
function machineFiles({ paths }: StackFiles, nodePath: string): AsyncIterable<Buffer> {
  const words = [
    '--owner=0',
    '--group=0',
    '--directory=/',
    '--no-recursion',
    '--null',
    '--files-from=-',
    '--recursion',
  ];
  words.push(
    '--exclude=etc/ssl/private',
    ...copied.map((name) => `etc/${name}`).filter((name) => existsSync(`/${name}`)),
  );
  const npm = npmOf(nodePath);
  if (existsSync(npm)) {
    words.push(`--transform=flags=r;s,^npm\\(/\\|$\\),${modulesInside}/npm\\1,`, `--directory=${dirname(npm)}`, 'npm');
  }
  return byTar(words, paths.map((path) => `${path.slice(1)}\0`).join(''));
}
