/** A server that builds and is killed: builds a Dockerfile on a daemon, says so on its output, and never ends by itself. */
import { randomUUID } from 'node:crypto';
import { DockerApi } from '../../../src/engines/docker/api/docker-api.ts';
import { endpointOf } from '../../../src/engines/docker/api/endpoint.ts';
import { buildWithBuildKit } from '../../../src/engines/docker/images/build/buildkit-build.ts';
import { publicOnly } from '../../../src/engines/docker/images/registry-rules.ts';
import { buildLimits, contextOf } from './build-harness.ts';

const [host = '', dockerfile = ''] = process.argv.slice(2);
const outcome = await buildWithBuildKit(
  new DockerApi(endpointOf(host, null)),
  {
    input: {
      buildId: randomUUID(),
      context: contextOf({ Dockerfile: dockerfile }),
      dockerfile: 'Dockerfile',
      secrets: {},
      cacheScope: 'app',
      arguments: {},
      limits: buildLimits,
      credentials: async () => null,
      log: (line) => console.log(line),
    },
    query: { dockerfile: 'Dockerfile' },
  },
  new AbortController().signal,
  { ...publicOnly, allowPrivate: true },
);
console.log('ended', outcome);
