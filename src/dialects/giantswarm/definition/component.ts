/** The keys of a component that both formats have, read the same way in both. */
import { BerthError } from '../../../core/errors.ts';
import { type ImageReference, imageReference } from '../../../core/images/image-reference.ts';
import type { ComponentDraft, JsonValue } from './definition.ts';
import type { ReadDomains } from './domains.ts';
import { readEnv } from './env.ts';
import { type Fields, listOf, optionalText, textOf } from './fields.ts';
import type { Place } from './place.ts';
import { readPorts } from './ports.ts';
import { readVolumes, type VolumeRules } from './volumes.ts';

export type ComponentParts = Pick<
  ComponentDraft,
  'image' | 'entrypoint' | 'args' | 'env' | 'ports' | 'domains' | 'volumes'
>;
/** Normalised, by key. */
export type PartsJson = Readonly<Record<keyof ComponentParts, JsonValue | undefined>>;

export interface PartRules {
  readonly volumes: VolumeRules;
  readonly readDomains: (value: unknown, place: Place, ports: readonly number[]) => ReadDomains;
}

export function readParts(fields: Fields, place: Place, rules: PartRules): { parts: ComponentParts; json: PartsJson } {
  const image = readImage(fields.get('image'), place.at('image'));
  const entrypoint = readEntrypoint(fields, place);
  const args = optional(fields, 'args', place, readArgs);
  const env = optional(fields, 'env', place, readEnv);
  const ports = optional(fields, 'ports', place, readPorts);
  const numbers = ports?.numbers ?? [];
  const domains = optional(fields, 'domains', place, (value, at) => rules.readDomains(value, at, numbers));
  const volumes = optional(fields, 'volumes', place, (value, at) => readVolumes(value, at, rules.volumes));
  return {
    parts: {
      image,
      entrypoint: entrypoint ?? null,
      args: args === undefined || args.length === 0 ? null : args,
      env: env?.variables ?? {},
      ports: numbers,
      domains: domains?.domains ?? [],
      volumes: volumes?.volumes ?? [],
    },
    json: {
      image: image.text,
      entrypoint,
      args,
      env: env?.json,
      ports: ports?.json,
      domains: domains?.json,
      volumes: volumes?.json,
    },
  };
}

function optional<T>(
  fields: Fields,
  key: string,
  place: Place,
  read: (value: unknown, place: Place) => T,
): T | undefined {
  const value = fields.get(key);
  return value === undefined ? undefined : read(value, place.at(key));
}

function readImage(value: unknown, place: Place): ImageReference {
  try {
    return imageReference(textOf(value, place));
  } catch (error) {
    if (error instanceof BerthError) throw place.wrong(error.message);
    throw error;
  }
}

function readEntrypoint(fields: Fields, place: Place): string | undefined {
  const entrypoint = optionalText(fields, 'entrypoint', place);
  if (entrypoint !== undefined && /\s/.test(entrypoint))
    throw place.at('entrypoint').wrong('must be one word: its arguments belong into args');
  return entrypoint;
}

const readArgs = (value: unknown, place: Place): readonly string[] =>
  listOf(value, place).map((item, index) => textOf(item, place.at(index)));
