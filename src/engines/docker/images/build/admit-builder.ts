/** Whether a daemon may be asked to build Dockerfiles. */
import { BuildFailure } from '../../../../core/ports/builder.ts';
import type { DockerApi } from '../../api/docker-api.ts';

/**
 * BuildKit has been in every daemon since 18.09. Only one whose administrator turned it off, or that is somebody else's with Docker's API,
 * says so by `Builder-Version: 1`. Its other builder fetches whatever a Dockerfile or a base image names, from the node's own network, and
 * nothing stands between: it is not used. Throws BuildFailure `unsupported` then.
 */
export async function admitBuilder(api: DockerApi): Promise<void> {
  const answer = await api.stream('GET', '/_ping');
  answer.resume();
  if (answer.headers['builder-version'] !== '1') return;
  throw new BuildFailure(
    'unsupported',
    'this node’s Docker has BuildKit turned off, and Dockerfiles are built by nothing else: its administrator turns it on by "features": {"buildkit": true} in /etc/docker/daemon.json',
  );
}
