/**
 * Brings an image that one node has to another: through the platform's registry where there is one, else streamed from daemon to daemon, and
 * never held in between. Each image goes to each node once at a time.
 */
import type { Logger } from '../../../lib/logger.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { failureIn } from '../api/progress.ts';
import type { ImageDetails } from '../api/shapes.ts';
import { shareThroughRegistry } from './push.ts';
import type { OwnRegistry } from './registry-rules.ts';
import { hasImage } from './stack-image.ts';

export interface ImageExchangeParts {
  /** The daemons of the nodes that are ready. */
  readonly nodes: () => readonly DockerApi[];
  readonly own: OwnRegistry | null;
  readonly logger: Logger;
}

const loadMs = 1_800_000;

export class ImageExchange {
  readonly #parts: ImageExchangeParts;
  readonly #under = new WeakMap<DockerApi, Map<string, Promise<boolean>>>();

  constructor(parts: ImageExchangeParts) {
    this.#parts = parts;
  }

  /** From any node that has it. False: none of those that answer does. */
  bring(to: DockerApi, reference: string): Promise<boolean> {
    return this.#once(to, `bring ${reference}`, () => this.#bring(to, reference));
  }

  /** For what can be made on every node as well: only through the registry. False: it must be made. */
  share(to: DockerApi, reference: string): Promise<boolean> {
    const { own, logger } = this.#parts;
    if (own === null) return Promise.resolve(false);
    return this.#once(to, `share ${reference}`, async () => {
      const from = await this.#holder(to, reference);
      if (from === null) return false;
      try {
        await shareThroughRegistry(own, from, to, reference);
        return true;
      } catch (error) {
        logger.warn(
          { error, image: reference },
          'an image is made once more, because the registry does not hand it on',
        );
        return false;
      }
    });
  }

  async #bring(to: DockerApi, reference: string): Promise<boolean> {
    const { own } = this.#parts;
    const from = await this.#holder(to, reference);
    if (from === null) return false;
    if (own === null) await handOver(from, to, reference);
    else await shareThroughRegistry(own, from, to, reference);
    return true;
  }

  async #holder(to: DockerApi, reference: string): Promise<DockerApi | null> {
    const others = this.#parts.nodes().filter((api) => api !== to);
    const asked = await Promise.allSettled(others.map((api) => hasImage(api, reference)));
    return others.find((_, at) => asked[at]?.status === 'fulfilled' && asked[at].value) ?? null;
  }

  #once(to: DockerApi, key: string, work: () => Promise<boolean>): Promise<boolean> {
    const under = this.#under.get(to) ?? new Map<string, Promise<boolean>>();
    this.#under.set(to, under);
    const known = under.get(key);
    if (known !== undefined) return known;
    const going = work().finally(() => under.delete(key));
    under.set(key, going);
    return going;
  }
}

/** Under its name, where it has one, so that both nodes call it the same. */
async function handOver(from: DockerApi, to: DockerApi, reference: string): Promise<void> {
  const { RepoTags } = await from.call<ImageDetails>('GET', `/images/${reference}/json`);
  const names = RepoTags?.[0] ?? reference;
  const bytes = await from.stream('GET', '/images/get', { query: { names } });
  const answer = await to.call<unknown>('POST', '/images/load', {
    query: { quiet: true },
    content: { type: 'application/x-tar', bytes },
    timeoutMs: loadMs,
  });
  const reason = failureIn(answer);
  if (reason !== null) throw new Error(`the image of this release cannot be brought to its node: ${reason}`);
  if (!(await hasImage(to, reference))) throw new Error('the image of this release is another one on its node');
}
