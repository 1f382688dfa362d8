/** Brings the buildpack that BUILDPACK_URL names: an archive, or a git repository where the machine has git. */
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildFailure } from '../../core/ports/builder.ts';
import type { ArchiveLimits } from '../archives/tree-writer.ts';
import { unpack } from '../archives/unpack.ts';
import { SourceTree } from '../source-tree.ts';
import { type FetchArchiveOptions, fetchArchive } from '../sources/fetch-archive.ts';
import type { BuildContext } from './buildpack.ts';

export interface FetchedBuildpack {
  /** A folder of the host. */
  readonly folder: string;
  /** Says which version came: part of what an earlier build must match. */
  readonly version: string;
}

export interface FetchBuildpackOptions extends Omit<FetchArchiveOptions, 'target'> {
  /** An empty folder of the host for the buildpack alone. */
  readonly folder: string;
  readonly limits: ArchiveLimits;
}

interface GitSource {
  readonly url: string;
  readonly ref: string | null;
}

const archiveEnding = /\.(?:tgz|tar|tar\.gz|tar\.zst|zip)$/i;
const gitHosts = new Set(['github.com', 'gitlab.com', 'bitbucket.org', 'codeberg.org']);

/** What to clone, or null when the URL points to an archive. Throws BuildFailure `unsupported` for other ways to git. */
export function gitSource(buildpackUrl: string): GitSource | null {
  if (/^(?:git|ssh|git\+ssh|file):|^[\w.-]+@[\w.-]+:/i.test(buildpackUrl)) {
    throw new BuildFailure('unsupported', 'BUILDPACK_URL must be an http(s) URL of an archive or a git repository');
  }
  const url = URL.parse(buildpackUrl);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  const owned = url.pathname.split('/').filter((part) => part !== '').length === 2;
  const isGit =
    url.pathname.endsWith('.git') || (gitHosts.has(url.hostname) && owned && !archiveEnding.test(url.pathname));
  if (!isGit) return null;
  const ref = decodeURIComponent(url.hash.slice(1));
  if (ref !== '' && !/^[A-Za-z0-9_][\w./-]*$/.test(ref)) {
    throw new BuildFailure('unsupported', 'the part after # in BUILDPACK_URL must be a branch or tag');
  }
  url.hash = '';
  return { url: url.href, ref: ref === '' ? null : ref };
}

/** Throws BuildFailure `source` or `unsupported` in words about BUILDPACK_URL. */
export async function fetchBuildpack(
  buildpackUrl: string,
  options: FetchBuildpackOptions,
  context: BuildContext,
  signal: AbortSignal,
): Promise<FetchedBuildpack> {
  const git = gitSource(buildpackUrl);
  if (git !== null) return clone(git, options.folder, context);
  try {
    const archive = await fetchArchive(buildpackUrl, { ...options, target: join(options.folder, 'archive') }, signal);
    const folder = join(options.folder, 'tree');
    await unpack(archive.path, folder, { ...options.limits, keepTop: 'bin' }, signal);
    return { folder, version: `sha256:${archive.sha256}` };
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    throw new BuildFailure(error.code, `the buildpack of BUILDPACK_URL: ${error.message}`);
  }
}

/** Clones inside the sandbox, where git can reach no more than a build can. The URL may hold a password: it goes by environment. */
async function clone(git: GitSource, folder: string, context: BuildContext): Promise<FetchedBuildpack> {
  if ((await lstat('/usr/bin/git').catch(() => null)) === null) {
    throw new BuildFailure(
      'unsupported',
      'BUILDPACK_URL is a git repository and this machine has no git; give an archive URL',
    );
  }
  const tree = join(folder, 'tree');
  await mkdir(tree, { mode: 0o755 });
  const seen = context.inside('buildpack', tree);
  const standIn = 'https://buildpack.invalid/';
  const branch = git.ref === null ? [] : ['--branch', git.ref];
  await context.job({
    step: 'clone-buildpack',
    title: 'git clone of BUILDPACK_URL',
    command: ['git', 'clone', '--quiet', '--depth', '1', ...branch, '--', standIn, `${seen}/clone`],
    folders: [{ host: tree, inside: seen, writable: true }],
    forced: {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `url.${git.url}.insteadOf`,
      GIT_CONFIG_VALUE_0: standIn,
      GIT_ALLOW_PROTOCOL: 'https:http',
      GIT_TERMINAL_PROMPT: '0',
    },
  });
  const cloned = join(tree, 'clone');
  const head = (await new SourceTree(cloned).readText('.git/shallow')) ?? git.ref ?? 'HEAD';
  return { folder: cloned, version: `git:${head.trim()}` };
}
