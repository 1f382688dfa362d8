/**
 * From an artifact's digest to an image that this daemon has: a tree of the platform's builders on top of the stack, or an image of a
 * registry by its own digest.
 */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../../../lib/exec.ts';
import type { DockerApi } from '../api/docker-api.ts';
import type { ImageDetails } from '../api/shapes.ts';
import { labels, type Names } from '../names.ts';
import { appUser } from '../settings.ts';
import { hasImage, type StackImage } from './stack-image.ts';

export interface RunnableImage {
  readonly reference: string;
  /** Made from an artifact: works in /app as the app's user. */
  readonly own: boolean;
  /** Who runs: the image's user, or the app's where that would be root. */
  readonly user: string;
}

export interface RunnableImagesParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly stack: StackImage;
  readonly artifactFolder: string;
}

const treeForm = /^sha256:([0-9a-f]{64})$/;
const imageForm = /^docker:\/\/([^\s@]+@sha256:[0-9a-f]{64})$/;
const app = `${appUser}:${appUser}`;
const buildMs = 600_000;
const dockerfile = '.berth-dockerfile';

export class RunnableImages {
  readonly #parts: RunnableImagesParts;
  readonly #making = new Map<string, Promise<RunnableImage>>();

  constructor(parts: RunnableImagesParts) {
    this.#parts = parts;
  }

  /** Rejects, in words for the app's owner, when the artifact is not to be had. */
  ensure(digest: string): Promise<RunnableImage> {
    const known = this.#making.get(digest);
    if (known !== undefined) return known;
    const making = this.#ensure(digest).finally(() => this.#making.delete(digest));
    this.#making.set(digest, making);
    return making;
  }

  async #ensure(digest: string): Promise<RunnableImage> {
    const image = imageForm.exec(digest)?.[1];
    if (image !== undefined) return this.#foreign(image);
    const hex = treeForm.exec(digest)?.[1];
    const folder = join(this.#parts.artifactFolder, hex ?? '');
    if (hex === undefined || !existsSync(join(folder, 'tree')))
      throw new Error('the artifact of this release is not on this machine');
    const stack = await this.#parts.stack.ensure();
    const reference = `berth-app:${hex.slice(0, 40)}-${stack.split(':')[1]}`;
    if (!(await hasImage(this.#parts.api, reference))) await this.#build(folder, stack, reference, digest);
    return { reference, own: true, user: app };
  }

  async #foreign(reference: string): Promise<RunnableImage> {
    const { api } = this.#parts;
    if (!(await hasImage(api, reference))) {
      const query = { fromImage: reference };
      const answer = await api.call<unknown>('POST', '/images/create', { query, timeoutMs: buildMs });
      refuse(answer, `the image ${reference} cannot be pulled`);
    }
    const { Config } = await api.call<ImageDetails>('GET', `/images/${reference}/json`);
    const user = Config?.User ?? '';
    return { reference, own: false, user: /^(?:|0|root)(?::.*)?$/.test(user) ? app : user };
  }

  /** One layer with the tree; the app's user owns it. */
  async #build(folder: string, stack: string, reference: string, digest: string): Promise<void> {
    const { api, names } = this.#parts;
    const temporary = mkdtempSync(join(tmpdir(), 'berth-image-'));
    try {
      const lines = [`FROM ${stack}`, `COPY --chown=${app} tree /app`, ''];
      writeFileSync(join(temporary, dockerfile), lines.join('\n'));
      const argv = [
        'tar',
        '--create',
        '--numeric-owner',
        `--directory=${temporary}`,
        dockerfile,
        `--directory=${folder}`,
        'tree',
      ];
      const tar = start(argv, {
        environment: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      if (tar.stdout === null) throw new Error('tar has no output');
      const marks = { [labels.install]: names.installId, [labels.artifact]: digest };
      const answer = await api.call<unknown>('POST', '/build', {
        query: { dockerfile, t: reference, labels: marks, forcerm: true, networkmode: 'none', q: true },
        content: { type: 'application/x-tar', bytes: tar.stdout },
        timeoutMs: buildMs,
      });
      refuse(answer, 'the image of this release cannot be made');
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
}

/** Docker reports failures of long work in the body of a good answer, a line of JSON each. */
function refuse(answer: unknown, what: string): void {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer ?? '');
  const reason = /"error"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  if (reason !== undefined) throw new Error(`${what}: ${reason}`);
}
