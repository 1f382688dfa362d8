/** What a build is asked for, and what comes of it. */
import type { ImageBuildFailure, ImageBuildInput } from '../../../../core/ports/images.ts';

export interface BuildRequest {
  readonly input: ImageBuildInput;
  readonly query: Readonly<Record<string, string | number | boolean | object>>;
}

/** The id of the image, or why there is none. */
export type BuildOutcome = { readonly imageId: string } | ImageBuildFailure;
