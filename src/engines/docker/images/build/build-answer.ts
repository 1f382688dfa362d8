/** Reads what the daemon answers while it builds: a line of JSON for each thing that happened. */
import type { IncomingMessage } from 'node:http';
import type { ImageBuildFailure, ImageBuildInput } from '../../../../core/ports/images.ts';
import { LineSplitter } from '../../../common/line-splitter.ts';
import type { DockerApi, Query } from '../../api/docker-api.ts';
import { DockerError } from '../../api/docker-error.ts';
import { failureOf } from '../../api/progress.ts';

export interface BuildEvents {
  /** Why the build failed. */
  readonly error?: string;
  readonly id?: string;
  readonly aux?: unknown;
}

/** A trace of BuildKit is in one line, in base64. */
const longestLine = 32 * 1024 * 1024;

/**
 * The daemon's answer as it builds, or why it refused at once what it was asked for (400 to 499). Rejects with `unavailable`, with the
 * signal's reason, and with DockerError where the daemon itself fails: that is not the Dockerfile's fault, and may pass.
 */
export async function askToBuild(
  api: DockerApi,
  { context }: Pick<ImageBuildInput, 'context'>,
  query: Query,
  signal: AbortSignal,
): Promise<IncomingMessage | ImageBuildFailure> {
  const content = { type: 'application/x-tar', bytes: context };
  try {
    return await api.stream('POST', '/build', { query, content, timeoutMs: 0, signal });
  } catch (error) {
    if (error instanceof DockerError && error.status < 500) return { failed: error.message };
    throw error;
  }
}

/** Lines that are none of this are left out. Throws when the connection breaks. */
export async function* buildEvents(answer: IncomingMessage): AsyncGenerator<BuildEvents> {
  const lines = new LineSplitter(longestLine);
  for await (const chunk of answer) yield* lines.push(chunk as Buffer).flatMap(parsed);
  yield* lines.end().flatMap(parsed);
}

function parsed(line: string): BuildEvents[] {
  try {
    const event: unknown = JSON.parse(line);
    if (typeof event !== 'object' || event === null) return [];
    const error = failureOf(event);
    return [error === null ? event : { ...event, error }];
  } catch {
    return [];
  }
}

/** The id of the image in what the daemon says of itself beside the log. */
export function imageIdIn({ aux }: BuildEvents): string | null {
  if (typeof aux !== 'object' || aux === null || !('ID' in aux)) return null;
  return typeof aux.ID === 'string' && /^sha256:[0-9a-f]{64}$/.test(aux.ID) ? aux.ID : null;
}
