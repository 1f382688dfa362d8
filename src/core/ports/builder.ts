/** Turns a source into an artifact. Runs user code only through the Sandbox; puts the result in the ArtifactStore. */
import type { Environment, Secret } from './secret.ts';

export type SourceLocation =
  /** `url` may hold credentials, so it is a secret: `http(s):`, `data:`, or `upload:<blob id>` of the BlobStore. */
  | { readonly kind: 'archive'; readonly url: Secret; readonly checksum: string | null }
  | { readonly kind: 'image'; readonly reference: Secret };

export interface BuildInput {
  readonly buildId: string;
  readonly appId: string;
  readonly appHandle: string;
  readonly spaceId: string;
  /** False: the app's pool runs no images, so none is made for it, whatever the platform could. */
  readonly runsImages?: boolean;
  readonly source: SourceLocation;
  /** The app's config, given to the build as the classic buildpack's environment folder; BUILDPACK_URL chooses a buildpack. */
  readonly environment: Environment;
  /** The log stream that progress and output go to. */
  readonly logStream: string;
}

export interface BuildOutput {
  /** Of the artifact's content: see Artifact. */
  readonly artifactDigest: string;
  readonly sizeBytes: number;
  /** Process types to commands (Procfile, or the language's default; '' is what the image says itself). */
  readonly processes: Readonly<Record<string, string>>;
  readonly buildpack: string;
  /** True when an earlier build of the same source and inputs was reused. */
  readonly reused: boolean;
}

/** The build is wrong in a way its owner can mend; the message says how. Anything else that throws is the platform's fault. */
export class BuildFailure extends Error {
  readonly code:
    | 'source'
    | 'checksum'
    | 'detect'
    | 'compile'
    | 'timeout'
    | 'memory'
    | 'disk'
    | 'output'
    | 'unsupported';
  constructor(code: BuildFailure['code'], message: string) {
    super(message);
    this.name = 'BuildFailure';
    this.code = code;
  }
}

export interface Builder {
  /** Aborting the signal really stops the work. Rejects with BuildFailure when the source is at fault. */
  build(input: BuildInput, signal: AbortSignal): Promise<BuildOutput>;
  /** Whether the bytes of an artifact are still there (a rollback asks before it promises). */
  hasArtifact(digest: string): Promise<boolean>;
  /** Forgets what builds of an app keep for the next ones; a build that runs keeps what it has. */
  clearCache(appId: string): Promise<void>;
  /** Deletes artifacts that nothing needs, but for images (see `Images.prune`), and caches over their limit. */
  prune(keep: ReadonlySet<string>): Promise<{ readonly removed: number; readonly freedBytes: number }>;
}
