/**
 * From an artifact's digest to an image that this daemon has: a tree of the platform's builders on top of the stack, or an image of a
 * registry by its own digest.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalImage } from '../../../core/images/canonical-image.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { DockerApi } from '../api/docker-api.ts';
import { failureIn } from '../api/progress.ts';
import type { ImageDetails } from '../api/shapes.ts';
import { labels, type Names } from '../names.ts';
import { appRuns } from '../owner.ts';
import { wantsReadOnly } from '../read-only.ts';
import { archiveOf, byTar, packed } from './archive.ts';
import { type ArtifactForm, artifactForm } from './artifact-form.ts';
import { exposedPorts } from './describe-built.ts';
import type { ImageExchange } from './image-exchange.ts';
import { type ImageUser, imageUser } from './image-user.ts';
import { admitRegistry, type RegistryRules } from './registry-rules.ts';
import { pullForInstall } from './retention/pulled-mark.ts';
import { SharedWork } from './shared-work.ts';
import { hasImage, type StackImage } from './stack-image.ts';
import { whileWanted } from './while-wanted.ts';

export interface RunnableImage {
  readonly reference: string;
  /** Made from an artifact: works in /app as the app's user. */
  readonly own: boolean;
  /** Who runs, by number: the image's user, or the app's where that would be root and may not be. */
  readonly user: string;
  /** It says root, or nobody, and is the app's user in its place. */
  readonly insteadOfRoot?: boolean;
  /** Folders that it says hold what is to be kept, absolute: Docker gives each container fresh ones there. */
  readonly volumes?: readonly string[];
  /** TCP ports that it says it listens on, ascending. */
  readonly ports: readonly number[];
  /** It asks that nothing in it be changed. */
  readonly readOnly?: boolean;
}

export interface RunnableImagesParts {
  readonly api: DockerApi;
  readonly names: Names;
  readonly stack: StackImage;
  readonly artifactFolder: string;
  readonly registries: RegistryRules;
  readonly exchange: ImageExchange;
  /** Images that say root, or nobody, run as root. */
  readonly allowRoot: boolean;
  /** No image is pulled to a node that has less free. */
  readonly freeSpaceFloorBytes: number;
  /** The node's helper, which says how much that is, stands afterwards. */
  readonly ready: () => Promise<unknown>;
  readonly logger: Logger;
}

const buildMs = 600_000;
const dockerfile = '.berth-dockerfile';

export class RunnableImages {
  readonly #parts: RunnableImagesParts;
  readonly #making = new SharedWork<RunnableImage>();
  /** By the image's id, which stands for what is in it for ever. */
  readonly #users = new Map<string, Promise<ImageUser>>();

  constructor(parts: RunnableImagesParts) {
    this.#parts = parts;
  }

  /**
   * `appId` says whose credentials an image of a registry is pulled with. Rejects, in words for the app's owner, when the artifact is not
   * to be had, and with the signal's reason. A pull ends when nobody waits for it any more.
   */
  ensure(digest: string, appId: string, signal: AbortSignal = new AbortController().signal): Promise<RunnableImage> {
    const form = artifactForm(digest);
    if (form?.kind === 'registry')
      return this.#making.wait(`${digest} ${appId}`, signal, (unwanted) =>
        this.#ofRegistry(digest, form.reference, appId, unwanted),
      );
    const stays = new AbortController().signal;
    return whileWanted(
      signal,
      this.#making.wait(digest, stays, () => this.#ensure(digest, form)),
    );
  }

  async #ensure(digest: string, form: Exclude<ArtifactForm, { kind: 'registry' }> | null): Promise<RunnableImage> {
    const { api, stack, artifactFolder, exchange } = this.#parts;
    if (form?.kind === 'built') {
      if (!(await hasImage(api, form.imageId)) && !(await exchange.bring(api, form.imageId))) throw notHere();
      return this.#asItIs(form.imageId);
    }
    const hex = form?.hex ?? '';
    const folder = join(artifactFolder, hex);
    if (form === null || !existsSync(join(folder, 'tree'))) throw notHere();
    const base = await stack.ensure();
    const reference = `berth-app:${hex.slice(0, 40)}-${base.split(':')[1]}`;
    if (!(await hasImage(api, reference)) && !(await exchange.share(api, reference)))
      await this.#build(folder, base, reference, digest);
    return { reference, own: true, user: appRuns, ports: [] };
  }

  async #ofRegistry(digest: string, reference: string, appId: string, unwanted: AbortSignal): Promise<RunnableImage> {
    const { api, names, registries, freeSpaceFloorBytes: floorBytes, ready, logger } = this.#parts;
    if (!(await hasImage(api, reference))) {
      const image = canonicalImage(reference);
      await admitRegistry(registries, image.host);
      const credentials = await registries.credentials(appId, digest);
      await pullForInstall({ api, names, floorBytes, ready, logger }, image, credentials, unwanted);
    }
    return this.#asItIs(reference);
  }

  async #asItIs(reference: string): Promise<RunnableImage> {
    const { Id, Config } = await this.#parts.api.call<ImageDetails>('GET', `/images/${reference}/json`);
    return {
      reference,
      own: false,
      ...(await this.#userOf(Id, Config?.User ?? '')),
      volumes: Object.keys(Config?.Volumes ?? {}).filter((path) => path.startsWith('/')),
      ports: exposedPorts(Config?.ExposedPorts),
      readOnly: wantsReadOnly(Config),
    };
  }

  #userOf(imageId: string, said: string): Promise<ImageUser> {
    const known = this.#users.get(imageId);
    if (known !== undefined) return known;
    const user = imageUser(this.#parts, imageId, said);
    this.#users.set(imageId, user);
    user.catch(() => this.#users.delete(imageId));
    return user;
  }

  /** One layer with the tree; the app's user owns it. */
  async #build(folder: string, stack: string, reference: string, digest: string): Promise<void> {
    const { api, names } = this.#parts;
    const lines = [`FROM ${stack}`, `COPY --chown=${appRuns} tree /app`, ''];
    const instructions = packed((tar) => void tar.entry({ name: dockerfile }, lines.join('\n')));
    const marks = { [labels.install]: names.installId, [labels.artifact]: digest };
    const answer = await api.call<unknown>('POST', '/build', {
      query: { dockerfile, t: reference, labels: marks, forcerm: true, networkmode: 'none', q: true },
      content: { type: 'application/x-tar', bytes: archiveOf(instructions, byTar([`--directory=${folder}`, 'tree'])) },
      timeoutMs: buildMs,
    });
    refuse(answer, 'the image of this release cannot be made');
  }
}

function refuse(answer: unknown, what: string): void {
  const reason = failureIn(answer);
  if (reason !== null) throw new Error(`${what}: ${reason}`);
}

const notHere = (): Error => new Error('the artifact of this release is not on this machine');
