/** Which images of an install may go. Pure. */
import { artifactForm } from '../artifact-form.ts';
import type { FoundImage } from './found-images.ts';

/**
 * `keep`: artifact digests that apps may be started from. Nothing goes that a container was made of, that came at `since` or later (somebody
 * may be about to name it), or that another which stays is built on. Of one tree on several stacks only the newest is needed, and so is the
 * newest stack: what is started next is made of it.
 */
export function unneeded(found: readonly FoundImage[], keep: ReadonlySet<string>, since: Date): FoundImage[] {
  const wanted = new Set([...keep].flatMap(wantedOf));
  const newest = newestOf(found);
  const mayStart = (image: FoundImage): boolean => {
    const group = groupOf(image);
    if (group !== null && newest.get(group) !== image) return false;
    return image.isStack || keysOf(image).some((key) => wanted.has(key));
  };
  const staying = found.filter((image) => image.isUsed || image.at >= since || mayStart(image));
  const isBase = (image: FoundImage): boolean => image.isStack && staying.some((other) => isBelow(image, other));
  return found.filter((image) => !staying.includes(image) && !isBase(image));
}

/** What is free when an image is gone: its layers without those that others still have. `left`: those that are there beside it. */
export const freedBytes = (image: FoundImage, left: readonly FoundImage[], found: readonly FoundImage[]): number =>
  image.sizeBytes - sharedBytes(image, left, found);

function wantedOf(artifactDigest: string): string[] {
  const form = artifactForm(artifactDigest);
  if (form === null) return [];
  if (form.kind === 'tree') return [artifactDigest];
  return [form.kind === 'built' ? form.imageId : form.reference.slice(-64)];
}

/** By which of `wantedOf` it may be asked for. */
const keysOf = ({ id, artifact, digests }: FoundImage): string[] => [
  id,
  ...(artifact === null ? [] : [artifact]),
  ...digests,
];

/** Images of which the newest does the work of all. */
const groupOf = ({ isStack, artifact }: FoundImage): string | null => (isStack ? 'stack' : artifact);

function newestOf(found: readonly FoundImage[]): Map<string, FoundImage> {
  const newest = new Map<string, FoundImage>();
  for (const image of found) {
    const group = groupOf(image);
    if (group === null) continue;
    const known = newest.get(group);
    if (known === undefined || image.at > known.at) newest.set(group, image);
  }
  return newest;
}

const isBelow = (image: FoundImage, other: FoundImage): boolean =>
  image !== other && commonLayers(image, other) === image.layers.length && image.layers.length > 0;

/** How many of the lowest layers two images have in common. */
function commonLayers({ layers }: FoundImage, other: FoundImage): number {
  const parting = layers.findIndex((layer, index) => other.layers[index] !== layer);
  return parting === -1 ? layers.length : parting;
}

/** Docker tells the size of an image, not of a layer; so it is known as far as some image ends where they part. */
function sharedBytes(image: FoundImage, others: readonly FoundImage[], measures: readonly FoundImage[]): number {
  const common = Math.max(0, ...others.map((other) => commonLayers(image, other)));
  const known = measures.filter(
    (measure) => measure.layers.length <= common && commonLayers(measure, image) === measure.layers.length,
  );
  return Math.max(0, ...known.map(({ sizeBytes }) => sizeBytes));
}
