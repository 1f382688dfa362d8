/**
 * The image under every artifact and of the platform's own containers, made of this machine's packages and the Node that Berth runs on,
 * once for each state of them. No registry is needed.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run, start } from '../../../lib/exec.ts';
import { shownEtc } from '../../common/shown-etc.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { isStatus } from '../api/docker-error.ts';
import { failureIn } from '../api/progress.ts';
import { labels } from '../names.ts';
import { appUser } from '../settings.ts';
import { type StackFiles, stackFiles } from './stack-packages.ts';

/** To be raised with every change of what goes into the image. */
const format = '2';
export const stackRepository = 'berth-stack';
const importMs = 600_000;
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
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

  async #make({ paths }: StackFiles, tag: string): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'berth-stack-'));
    try {
      await skeleton(join(folder, 'root'), this.#nodePath);
      const list = join(folder, 'list');
      writeFileSync(list, paths.map((path) => `${path.slice(1)}\0`).join(''));
      const argv = ['tar', '--create', '--numeric-owner', '--owner=0', '--group=0', '--no-recursion', '--null'];
      argv.push('--directory=/', `--files-from=${list}`, '--recursion', `--directory=${join(folder, 'root')}`, '.');
      const tar = start(argv, { environment, stdio: ['ignore', 'pipe', 'ignore'] });
      if (tar.stdout === null) throw new Error('tar has no output');
      const answer = await this.#api.call<unknown>('POST', '/images/create', {
        query: { fromSrc: '-', repo: stackRepository, tag, changes: `LABEL ${labels.artifact}=` },
        content: { type: 'application/x-tar', bytes: tar.stdout },
        timeoutMs: importMs,
      });
      const failure = failureIn(answer);
      if (failure !== null) throw new Error(`the image for apps cannot be made: ${failure.slice(0, 300)}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
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

/** All but /usr: accounts, names, certificates, the runtime. Nothing of the machine's own secrets or settings of its services. */
async function skeleton(root: string, nodePath: string): Promise<void> {
  for (const folder of ['etc', 'proc', 'sys', 'dev', 'run', 'var', nodeInside]) {
    mkdirSync(join(root, folder), { recursive: true, mode: 0o755 });
  }
  for (const [name, mode] of [
    ['tmp', 0o1777],
    ['root', 0o700],
  ] as const) {
    mkdirSync(join(root, name));
    chmodSync(join(root, name), mode);
  }
  symlinkSync('../tmp', join(root, 'var', 'tmp'));
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    if (existsSync(`/${name}`) && lstatSync(`/${name}`).isSymbolicLink())
      symlinkSync(readlinkSync(`/${name}`), join(root, name));
  }
  const there = copied.map((name) => `/etc/${name}`).filter(existsSync);
  const copy = await run(['cp', '-a', '--', ...there, join(root, 'etc')], { environment, timeoutMs: 60_000 });
  if (copy.code !== 0) throw new Error(`the image’s /etc cannot be made: ${copy.stderr.trim()}`);
  await rm(join(root, 'etc', 'ssl', 'private'), { recursive: true, force: true });
  const files = {
    passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\napp:x:${appUser}:${appUser}:app:/app:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n`,
    group: `root:x:0:\napp:x:${appUser}:\nnogroup:x:65534:\n`,
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'etc', name), text, { mode: 0o644 });
  copyFileSync(nodePath, join(root, nodeInside, 'node'));
  chmodSync(join(root, nodeInside, 'node'), 0o755);
  // A version manager's prefix brings its own npm, whose links lead from bin to lib.
  const npm = join(dirname(nodePath), '..', 'lib', 'node_modules', 'npm');
  if (!existsSync(npm)) return;
  mkdirSync(join(root, nodeInside, '..', 'lib', 'node_modules'), { recursive: true });
  await run(['cp', '-a', '--', npm, join(root, nodeInside, '..', 'lib', 'node_modules')], {
    environment,
    timeoutMs: 60_000,
  });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, nodeInside, name));
}
