/**
 * Images as Docker understands their names: which registry and which repository there, and by which tag or digest. Pure. The rule is that
 * of the "Canonical and familiar names" of distribution/reference: the first part is a registry when it has a `.` or `:` or is
 * `localhost`; else the image is of the Docker Hub, where names without a namespace are below `library`.
 */
import { type BerthError, invalid } from '../errors.ts';
import { dockerHub, registryHost } from '../registries/registry-host.ts';

export interface CanonicalImage {
  /** As `registryHost` says it. */
  readonly host: string;
  /** Path within the registry. */
  readonly repository: string;
  /** Null when there is a digest. */
  readonly tag: string | null;
  /** `sha256:<hex>`; null: the tag says which. */
  readonly digest: string | null;
}

const maxLength = 512;
const part = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Reads `[host[:port]/]path[:tag][@sha256:<hex>]`; a digest makes the tag meaningless, neither means `latest`. Throws invalid `image`. */
export function canonicalImage(text: string): CanonicalImage {
  if (text.length > maxLength) throw wrong(`is longer than ${maxLength} characters`);
  const [named = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !digestForm.test(digest)))
    throw wrong('has a digest that is no sha256:<64 hex digits>');
  const { rest, host } = splitHost(named);
  const [path = '', tag, ...tags] = rest.split(':');
  if (tags.length > 0 || (tag !== undefined && !tagForm.test(tag))) throw wrong('has a tag that cannot be one');
  const isShort = host === dockerHub && !path.includes('/');
  if (!path.split('/').every((word) => part.test(word)))
    throw wrong('must be named by lower-case letters, digits and inner . _ -');
  return {
    host,
    repository: isShort ? `library/${path}` : path,
    tag: digest === undefined ? (tag ?? 'latest') : null,
    digest: digest ?? null,
  };
}

/** `host/repository`, as every tool takes it. */
export const imageName = ({ host, repository }: Pick<CanonicalImage, 'host' | 'repository'>): string =>
  `${host}/${repository}`;

/** The whole reference, as every tool takes it. */
export const imageText = (image: CanonicalImage): string =>
  `${imageName(image)}${image.digest === null ? `:${image.tag}` : `@${image.digest}`}`;

/** The artifact digest of an image of a registry (see ImageDescription). */
export const imageDigest = (image: Pick<CanonicalImage, 'host' | 'repository'>, digest: string): string =>
  `docker://${imageName(image)}@${digest}`;

function splitHost(named: string): { host: string; rest: string } {
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  if (!/[.:]/.test(first) && first !== 'localhost') return { host: dockerHub, rest: named };
  return { host: hostOf(first), rest: named.slice(slash + 1) };
}

function hostOf(text: string): string {
  try {
    return registryHost(text);
  } catch {
    throw wrong('has a registry that is no host name');
  }
}

const wrong = (message: string): BerthError => invalid('image', `image ${message}`, 'malformed');
