/**
 * Volumes in their three forms: `path` and `size`; `volumes-from` alone; `volume-from` and `volume-path`, with a `path` or at the same.
 * Who they are taken from is resolved by `mounts.ts`, when all components are known.
 */
import type { JsonValue, VolumeDraft } from './definition.ts';
import { compact, type Fields, fewOf, fieldsOf, flagOf, type Keys, optionalText, textOf } from './fields.ts';
import { type Place, quoted } from './place.ts';

const bytesPerGb = 1_000_000_000;
const maxGb = 100;
const keys = ['path', 'size', 'volumes-from', 'volume-from', 'volume-path'];

export interface VolumeRules {
  readonly anySpelling: boolean;
  /** Whether `shared` is a key. */
  readonly shared: boolean;
  /** The key of the component that is meant by a name. */
  readonly owner: (name: string) => string;
}

export function readVolumes(
  value: unknown,
  place: Place,
  rules: VolumeRules,
): { volumes: readonly VolumeDraft[]; json: readonly JsonValue[] } {
  const allowed: Keys = {
    required: [],
    optional: rules.shared ? [...keys, 'shared'] : keys,
    anySpelling: rules.anySpelling,
  };
  const read = fewOf(value, place).map((item, index) => {
    const at = place.at(index);
    return readVolume(fieldsOf(item, at, allowed), at, rules);
  });
  return { volumes: read.map((each) => each.volume), json: read.map((each) => each.json) };
}

function readVolume(fields: Fields, place: Place, rules: VolumeRules): { volume: VolumeDraft; json: JsonValue } {
  const path = optionalText(fields, 'path', place);
  const size = fields.get('size') === '' ? undefined : fields.get('size');
  const allOf = optionalText(fields, 'volumes-from', place);
  const oneOf = optionalText(fields, 'volume-from', place);
  const ownerPath = optionalText(fields, 'volume-path', place);
  const shared = flagOf(fields, 'shared', place);
  const given = [path, size, allOf, oneOf, ownerPath, shared || undefined].filter((each) => each !== undefined).length;

  if (path !== undefined && size !== undefined && given === 2 + (shared ? 1 : 0)) {
    const gigabytes = gigabytesOf(size, place.at('size'));
    return {
      volume: {
        kind: 'own',
        place,
        path: mountPath(path, place.at('path')),
        sizeBytes: gigabytes * bytesPerGb,
        shared,
      },
      json: compact([
        ['path', path],
        ['size', `${gigabytes} GB`],
        ['shared', shared],
      ]),
    };
  }
  if (allOf !== undefined && given === 1)
    return { volume: { kind: 'all-of', place, owner: rules.owner(allOf) }, json: { 'volumes-from': allOf } };
  if (oneOf !== undefined && ownerPath !== undefined && given === 2 + (path === undefined ? 0 : 1)) {
    const from = mountPath(ownerPath, place.at('volume-path'));
    return {
      volume: {
        kind: 'one-of',
        place,
        owner: rules.owner(oneOf),
        ownerPath: from,
        path: path === undefined ? from : mountPath(path, place.at('path')),
      },
      json: compact([
        ['volume-from', oneOf],
        ['volume-path', ownerPath],
        ['path', path],
      ]),
    };
  }
  throw place.wrong(
    'a volume must have path and size, or volumes-from alone, or volume-from and volume-path with an optional path',
  );
}

/** `5 GB`, `5GB`, `8  G`, `10g`, `"8"` or 8: whole gigabytes, 1 to 100. */
function gigabytesOf(value: unknown, place: Place): number {
  const text = typeof value === 'number' ? String(value) : textOf(value, place);
  const [, digits] = /^([0-9]{1,9})\s*(?:GB?)?$/i.exec(text.trim()) ?? [];
  if (digits === undefined) throw place.wrong(`${quoted(text)} must be a size in GB, like "5 GB"`);
  const gigabytes = Number(digits);
  if (gigabytes < 1 || gigabytes > maxGb) throw place.wrong(`must be from 1 to ${maxGb} GB`);
  return gigabytes;
}

/** Absolute, without repeated or trailing slashes. */
function mountPath(text: string, place: Place): string {
  const parts = text.split('/').filter((part) => part !== '');
  if (!text.startsWith('/') || parts.length === 0 || parts.includes('.') || parts.includes('..'))
    throw place.wrong(`${quoted(text)} must be an absolute path below /, without . and ..`);
  return `/${parts.join('/')}`;
}
