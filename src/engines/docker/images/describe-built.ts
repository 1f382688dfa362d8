/** What an image on a daemon says about how it wants to be run. */
import type { ImageDescription } from '../../../core/ports/images.ts';
import type { DockerApi } from '../api/docker-api.ts';
import type { ImageDetails } from '../api/shapes.ts';
import { builtDigest } from './artifact-form.ts';

export async function describeBuilt(api: DockerApi, imageId: string): Promise<ImageDescription> {
  const { Id, Size, Config } = await api.call<ImageDetails>('GET', `/images/${imageId}/json`);
  return {
    artifactDigest: builtDigest(Id),
    sizeBytes: Size,
    ports: exposedPorts(Config?.ExposedPorts),
    hasCommand: (Config?.Entrypoint?.length ?? 0) + (Config?.Cmd?.length ?? 0) > 0,
  };
}

/** TCP only, ascending: `{"80/tcp": {}}`, where a port alone is TCP too. Pure. */
export function exposedPorts(exposed: Readonly<Record<string, unknown>> | null | undefined): readonly number[] {
  return Object.keys(exposed ?? {})
    .flatMap((word) => /^(\d{1,5})(?:\/tcp)?$/i.exec(word)?.[1] ?? [])
    .map(Number)
    .filter((port) => port > 0 && port < 65_536)
    .sort((a, b) => a - b);
}
