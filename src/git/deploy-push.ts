/** From objects that wait in quarantine to an app that runs them: what was pushed is read, packed, and given to the core. */

import type { ChildProcess } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Actor } from '../core/access/actor.ts';
import type { AppView } from '../core/apps/app.ts';
import { detailLine, refusalLines } from '../core/deployments/deployment-log.ts';
import { BerthError, invalid } from '../core/errors.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { PushService } from '../core/pushes/push-service.ts';
import { signalGroup } from '../lib/exec.ts';
import { type GitProgram, gitError } from './git-program.ts';
import type { HookQuestion } from './hook-wire.ts';
import { decide, parseUpdates } from './ref-updates.ts';

export interface DeployParts {
  readonly git: GitProgram;
  readonly pushes: PushService;
  readonly blobs: BlobStore;
  /** Where an app answers, for the last line of a push. */
  readonly appUrl: (handle: string) => string;
  /** The packed source of a build may have so many bytes. */
  readonly maxSourceBytes: number;
  /** Aborts when the server stops. */
  readonly closing: AbortSignal;
}

export interface PushedTo {
  readonly actor: Actor;
  readonly app: AppView;
  readonly repository: string;
}

const READ_MS = 30_000;
const SUBJECT_MAX = 1_000;
const REFUSED = 'The push is refused, so that pushing the same commit again tries again.';

/** Gives the branch that was deployed, or null when the push is to be refused; the reasons have been said then. */
export async function deployPush(
  parts: DeployParts,
  to: PushedTo,
  question: HookQuestion,
  say: (line: string) => void,
): Promise<string | null> {
  const refuse = (...reasons: readonly string[]): null => {
    for (const reason of reasons) for (const line of refusalLines(reason).split('\n')) say(line);
    return null;
  };
  const updates = parseUpdates(question.updates);
  if (updates === null) return refuse('The push cannot be understood.');
  const decision = decide(updates);
  if (!decision.deploy) return refuse(...decision.reasons);
  const { branch, commit } = decision;
  const url = parts.appUrl(to.app.handle);
  try {
    const environment = await quarantined(to.repository, question.objects);
    const { author, message } = await describeCommit(parts.git, to.repository, commit, environment);
    const push = {
      description: { commit, branch, author, message },
      store: () => storeSource(parts, to.repository, commit, environment),
    };
    const { failure } = await parts.pushes.deploy(to.actor, to.app.id, push, {
      say,
      closing: (result) => (result.failure === null ? [detailLine(url)] : [refusalLines(REFUSED)]),
      signal: parts.closing,
    });
    return failure === null ? branch : null;
  } catch (error) {
    if (error instanceof BerthError && error.kind !== 'unavailable') return refuse(error.message);
    throw error;
  }
}

/**
 * The environment in which git sees what was pushed although nothing is accepted yet. Only a folder that git itself made for this is taken.
 */
async function quarantined(repository: string, objects: string): Promise<Record<string, string>> {
  const store = join(await realpath(repository), 'objects');
  const folder = await realpath(objects);
  if (folder === store) return {};
  if (dirname(folder) !== store || !/^(?:tmp_objdir-)?incoming-\w+$/.test(basename(folder)))
    throw new Error('a hook named a folder of objects that is not of its push');
  return { GIT_OBJECT_DIRECTORY: folder, GIT_ALTERNATE_OBJECT_DIRECTORIES: store };
}

async function describeCommit(
  git: GitProgram,
  repository: string,
  commit: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ author: string; message: string }> {
  const format = '--format=%an%x00%s';
  const text = await git.run(
    ['-C', repository, 'show', '-s', '--no-show-signature', '--encoding=UTF-8', format, `${commit}^{commit}`, '--'],
    READ_MS,
    environment,
  );
  const [author = '', message = ''] = text.split('\0').map(oneLine);
  return { author, message };
}

/** `git archive` of the commit as tar.gz, below one folder: a single top folder is left out when it is unpacked, and none of its own may be. */
async function storeSource(
  { git, blobs, maxSourceBytes, closing }: DeployParts,
  repository: string,
  commit: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const args = ['-C', repository, 'archive', '--format=tar.gz', '-1', '--prefix=source/', commit];
  const child = git.start(args, environment);
  const ended = endOf(child);
  // Its words are of no use to anybody but must not fill the pipe.
  child.stderr?.resume();
  // Taken up at once: of a program that has ended, Node throws away what nobody reads yet.
  const bytes = new PassThrough();
  child.stdout?.pipe(bytes);
  try {
    const blob = await blobs.put(bytes, { maxBytes: maxSourceBytes, signal: closing });
    if ((await ended) === 0) return blob.id;
    await blobs.remove(blob.id);
    throw invalid('commit', 'git cannot pack the pushed commit', 'source');
  } finally {
    signalGroup(child.exitCode === null && child.signalCode === null ? child.pid : undefined, 'SIGKILL');
    await ended.catch(() => {});
  }
}

function endOf(child: ChildProcess): Promise<number | null> {
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(gitError(error)));
    child.once('close', (code) => resolve(code));
  });
  ended.catch(() => {});
  return ended;
}

const oneLine = (text: string): string =>
  text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, SUBJECT_MAX);
