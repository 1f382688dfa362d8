/** Which builder a daemon is used with. */
import type { DockerApi } from '../../api/docker-api.ts';

/**
 * BuildKit has been in every daemon since 18.09 and is asked for by each build. Only one whose administrator turned it off, or that is
 * somebody else's with Docker's API, says so by `Builder-Version: 1`.
 */
export async function builderOf(api: DockerApi): Promise<'buildkit' | 'classic'> {
  const answer = await api.stream('GET', '/_ping');
  answer.resume();
  return answer.headers['builder-version'] === '1' ? 'classic' : 'buildkit';
}
