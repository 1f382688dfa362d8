/** The images of this install that a daemon has, as its retention looks at them. */
import type { DockerApi } from '../../api/docker-api.ts';
import { isStatus } from '../../api/docker-error.ts';
import type { ContainerSummary, ImageDetails } from '../../api/shapes.ts';
import { labels, type Names } from '../../names.ts';
import { type OwnRegistry, ownRepository } from '../registry-rules.ts';
import { stackRepository } from '../stack-image.ts';
import { pulledRepository } from './pulled-mark.ts';

export interface FoundImage {
  readonly id: string;
  readonly isStack: boolean;
  /** Of the tree inside; null for images that are none. */
  readonly artifact: string | null;
  /** Hex digits of every registry digest that it is known by. */
  readonly digests: readonly string[];
  /** What it is called that this install gave it. Taken away in this order it is gone, unless it has other names. */
  readonly references: readonly string[];
  /** Of all its layers, which it may share. */
  readonly sizeBytes: number;
  /** From the lowest on. */
  readonly layers: readonly string[];
  /** When it came here, or was named last. */
  readonly at: Date;
  /** A container was made of it, running or not. */
  readonly isUsed: boolean;
}

/** More of the Engine API's answer. `LastTagTime` is zero, or missing, for an image that was never named on this daemon. */
interface Inspected extends ImageDetails {
  readonly Created?: string;
  readonly RootFS?: { readonly Layers?: readonly string[] | null };
  readonly Metadata?: { readonly LastTagTime?: string };
}

/** Images that other people's names point to as well count as theirs. */
export async function findImages(
  api: DockerApi,
  names: Names,
  own: Pick<OwnRegistry, 'host' | 'prefix'> | null = null,
): Promise<FoundImage[]> {
  const pulled = pulledRepository(names);
  const pushed = own === null ? null : ownRepository(own, 'berth-');
  const isOwn = (tag: string): boolean =>
    tag.startsWith(`${pulled}:`) ||
    /^berth-(?:app|build|image|stack):/.test(tag) ||
    // Of a push that was broken off.
    (pushed !== null && tag.startsWith(pushed));
  const filters = [
    { label: [`${labels.install}=${names.installId}`] },
    { reference: [pulled] },
    { reference: [stackRepository] },
  ];
  const lists = await Promise.all(
    filters.map((filter) => api.call<readonly { Id: string }[]>('GET', '/images/json', { query: { filters: filter } })),
  );
  const ids = new Set(lists.flat().map(({ Id }) => Id));
  const containers = await api.call<readonly ContainerSummary[]>('GET', '/containers/json', { query: { all: true } });
  const used = new Set(containers.map(({ ImageID }) => ImageID));
  const found = await Promise.all([...ids].map((id) => inspect(api, id)));
  return found.flatMap((image) => (image === null ? [] : read(image, { used, pulled, isOwn })));
}

async function inspect(api: DockerApi, id: string): Promise<Inspected | null> {
  try {
    return await api.call<Inspected>('GET', `/images/${id}/json`);
  } catch (error) {
    if (isStatus(error, 404)) return null;
    throw error;
  }
}

interface Known {
  readonly used: ReadonlySet<string>;
  readonly pulled: string;
  /** Whether a name was given by this install. */
  readonly isOwn: (tag: string) => boolean;
}

function read(image: Inspected, { used, pulled, isOwn }: Known): FoundImage[] {
  // API versions before 1.43 have a word for an image without a name.
  const isNamed = (name: string): boolean => !name.startsWith('<none>');
  const tags = (image.RepoTags ?? []).filter(isNamed);
  const digests = (image.RepoDigests ?? []).filter(isNamed);
  if (!tags.every(isOwn)) return [];
  // Only what was made here of a tree: a Dockerfile, or whoever made a foreign image, may write any label.
  const isTree = tags.some((tag) => tag.startsWith('berth-app:'));
  const artifact = isTree ? image.Config?.Labels?.[labels.artifact] : undefined;
  // Its own names last: as long as one is left, the image is found again.
  const references = [...digests, ...tags];
  return [
    {
      id: image.Id,
      isStack: tags.some((tag) => tag.startsWith(`${stackRepository}:`)),
      artifact: artifact === undefined || artifact === '' ? null : artifact,
      digests: [...digests, ...tags.filter((tag) => tag.startsWith(`${pulled}:`))].map((name) => name.slice(-64)),
      references: references.length === 0 ? [image.Id] : references,
      sizeBytes: image.Size,
      layers: image.RootFS?.Layers ?? [],
      at: new Date(Math.max(timeOf(image.Created), timeOf(image.Metadata?.LastTagTime))),
      isUsed: used.has(image.Id),
    },
  ];
}

/** Milliseconds since 1970; 0 for what is no time, or Go's zero. */
const timeOf = (text: string | undefined): number => Math.max(0, Date.parse(text ?? '') || 0);
