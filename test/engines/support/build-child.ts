/** A server that builds and is killed: builds a Dockerfile on a daemon, says so on its output, and never ends by itself. */
import { DockerApi } from '../../../src/engines/docker/api/docker-api.ts';
import { endpointOf } from '../../../src/engines/docker/api/endpoint.ts';
import { buildWithBuildKit } from '../../../src/engines/docker/images/build/buildkit-build.ts';
import { publicOnly } from '../../../src/engines/docker/images/registry-rules.ts';
import { buildInput, contextOf } from './build-harness.ts';

const [host = '', dockerfile = ''] = process.argv.slice(2);
const outcome = await buildWithBuildKit(
  new DockerApi(endpointOf(host, null)),
  {
    input: buildInput({
      context: contextOf({ Dockerfile: dockerfile }),
      log: (line) => console.log(line),
    }),
    query: { dockerfile: 'Dockerfile' },
  },
  new AbortController().signal,
  { ...publicOnly, allowPrivate: true },
);
console.log('ended', outcome);
