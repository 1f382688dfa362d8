/**
 * Names of images as people write them: `[registry/][namespace/]name[:tag]`. Says which part is which and nothing about whether the
 * image exists. The registry is what stands first of three or more parts, or of two when it has a `.` or `:` or is `localhost`.
 */
import { type BerthError, invalid } from '../errors.ts';

export interface ImageReference {
  /** Host with an optional port; null: the platform's default registry. */
  readonly registry: string | null;
  /** Without the slashes around it; it may have some within. */
  readonly namespace: string | null;
  readonly name: string;
  /** Null: not said; `latest` when it runs. */
  readonly tag: string | null;
  /** As it was written. */
  readonly text: string;
}

const maxLength = 512;
const host = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?$/;
const word = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/;
const version = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

const wrong = (message: string): BerthError => invalid('image', `image ${message}`, 'malformed');

/** Throws invalid `image` for what is no text or does not have the form. */
export function imageReference(text: unknown): ImageReference {
  if (typeof text !== 'string' || text === '') throw wrong('is required');
  if (text.length > maxLength) throw wrong(`is longer than ${maxLength} characters`);
  if (/\s/.test(text)) throw wrong('must not have spaces');
  if (text.includes('@')) throw wrong('must be named by a tag, not by a digest');
  const parts = text.split('/');
  const [name, tag, ...more] = (parts.pop() ?? '').split(':');
  if (more.length > 0) throw wrong('has more than one tag');
  const registry = parts.length >= 2 || isHost(parts[0]) ? (parts.shift() ?? null) : null;
  if (registry !== null && !host.test(registry)) throw wrong('has a registry that is no host name');
  if (!parts.every((part) => word.test(part)))
    throw wrong('has a namespace with other than lower-case letters, digits and inner . _ -');
  if (name === undefined || !word.test(name))
    throw wrong('must have a name of lower-case letters, digits and inner . _ -');
  return {
    registry,
    namespace: parts.length === 0 ? null : parts.join('/'),
    name,
    tag: tag === undefined ? null : checkedTag(tag),
    text,
  };
}

/** The same image with another tag. Throws invalid `image` for what cannot be a tag. */
export function withTag(reference: ImageReference, tag: string): ImageReference {
  const path = [reference.registry, reference.namespace, reference.name].filter((part) => part !== null).join('/');
  return imageReference(`${path}:${checkedTag(tag)}`);
}

function checkedTag(tag: string): string {
  if (!version.test(tag)) throw wrong('must have a tag of letters, digits and inner . _ -');
  return tag;
}

const isHost = (part: string | undefined): boolean =>
  part !== undefined && (part.includes('.') || part.includes(':') || part === 'localhost');
