/** Which kind of artifact a digest names. Pure. */
export type ArtifactForm =
  /** A tree that the platform's builders made. */
  | { readonly kind: 'tree'; readonly hex: string }
  /** An image that was built here, by its id on the daemon. */
  | { readonly kind: 'built'; readonly imageId: string }
  /** An image of a registry, by its digest there. */
  | { readonly kind: 'registry'; readonly reference: string };

/** Null for any other text. */
export function artifactForm(digest: string): ArtifactForm | null {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex !== undefined) return { kind: 'tree', hex };
  const imageId = /^image:(sha256:[0-9a-f]{64})$/.exec(digest)?.[1];
  if (imageId !== undefined) return { kind: 'built', imageId };
  const reference = /^docker:\/\/([^\s@]+@sha256:[0-9a-f]{64})$/.exec(digest)?.[1];
  return reference === undefined ? null : { kind: 'registry', reference };
}

export const builtDigest = (imageId: string): string => `image:${imageId}`;
/** What every image that is built here is called, beside its id. */
export const buildTag = (buildId: string): string => `berth-build:${buildId}`;
