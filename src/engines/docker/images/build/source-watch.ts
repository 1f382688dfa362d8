/**
 * Looks at what a build by BuildKit turns to while it goes on: images may bring steps of their own (ONBUILD), and what a Dockerfile begins
 * with is known only when its variables are. What was asked for by then is of no use to anybody, for the build ends without an image.
 */
import { canonicalImage } from '../../../../core/images/canonical-image.ts';
import { stepRefusal } from '../../../../core/images/dockerfile-rules.ts';
import { ImageUnavailable } from '../../../../core/ports/images.ts';
import { admitRegistry, type RegistryRules } from '../registry-rules.ts';
import type { Vertex } from './buildkit-messages.ts';

/** What BuildKit's steps are called that have to do with an image of a registry. */
const image = /^(?:\[[^\]]*internal\] load metadata for |docker-image:\/\/|(?:\[[^\]]*\] )?FROM )(\S+)/;

export class SourceWatch {
  readonly #rules: RegistryRules;
  readonly #hosts = new Map<string, Promise<string | null>>();
  #refused: string | null = null;

  constructor(rules: RegistryRules) {
    this.#rules = rules;
  }

  /** Why the build is to end now, without a word of what was answered; null: nothing is in the way. Resolves when hosts are looked up. */
  take(vertexes: readonly Pick<Vertex, 'name'>[]): Promise<string | null> {
    for (const { name } of vertexes) {
      this.#refused ??= stepRefusal(name);
      const reference = image.exec(name)?.[1];
      const host = reference === undefined ? null : hostOf(reference);
      if (host !== null && !this.#hosts.has(host)) this.#hosts.set(host, this.#ask(host));
    }
    return this.#refusal();
  }

  async #refusal(): Promise<string | null> {
    const refused = await Promise.all(this.#hosts.values());
    return this.#refused ?? refused.find((words) => words !== null) ?? null;
  }

  async #ask(host: string): Promise<string | null> {
    try {
      await admitRegistry(this.#rules, host);
      return null;
    } catch (error) {
      return error instanceof ImageUnavailable ? error.message : 'the registry of a base image cannot be looked up now';
    }
  }
}

function hostOf(reference: string): string | null {
  try {
    return canonicalImage(reference).host;
  } catch {
    return null;
  }
}
