/** What a build made: runnable content, addressed by its digest, shared by all who built the same. */
export interface Artifact {
  /** `sha256:<hex>` of a tree; `image:sha256:<hex>` or `docker://<name>@sha256:<hex>` of an image. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Process types to command lines; '' is what the image says itself. */
  readonly processes: Readonly<Record<string, string>>;
  readonly buildpack: string;
  readonly createdAt: Date;
}
export interface ArtifactStore {
  find(digest: string): Promise<Artifact | null>;
  /** Known already: nothing to do. */
  insert(artifact: Artifact): Promise<void>;
  /** Digests that a live app's builds or releases still name, newest `keepPerApp` releases and the current one of each. */
  inUse(keepPerApp: number): Promise<ReadonlySet<string>>;
}
