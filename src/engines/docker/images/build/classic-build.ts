/**
 * One build by Docker's classic builder, for daemons without BuildKit. Steps run one after the other, each in a container with the limits;
 * there are no secrets, and base images of private registries cannot be pulled.
 */
import type { DockerApi } from '../../api/docker-api.ts';
import { askToBuild, buildEvents, imageIdIn } from './build-answer.ts';
import type { BuildOutcome, BuildRequest } from './build-request.ts';

/** Rejects with the signal's reason when it aborts, and when the daemon goes away. */
export async function buildClassically(
  api: DockerApi,
  { input, query }: BuildRequest,
  signal: AbortSignal,
): Promise<BuildOutcome> {
  const { memoryBytes, cpuShares } = input.limits;
  const limited = { ...query, memory: memoryBytes, memswap: memoryBytes, cpushares: cpuShares, forcerm: true };
  const answer = await askToBuild(api, input, limited, signal);
  if ('failed' in answer) return { failed: inWords(answer.failed) };
  let imageId: string | null = null;
  for await (const event of buildEvents(answer)) {
    if (event.error !== undefined) return { failed: inWords(event.error) };
    for (const line of event.stream?.split('\n') ?? []) if (line.trim() !== '') input.log(line.trimEnd());
    imageId = imageIdIn(event) ?? imageId;
  }
  if (imageId === null) throw new Error('the daemon broke off the build');
  return { imageId };
}

function inWords(error: string): string {
  return /requires BuildKit/.test(error)
    ? `this Dockerfile needs BuildKit, which the Docker of this node has not or was told not to use: ${error}`
    : error;
}
