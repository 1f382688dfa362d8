/** The same program as a service of Swarm: what rolling and scaling are measured beside. Answers are taken from each task's own port. */
import { get } from 'node:http';
import type { DockerCli } from '../support/docker-cli.ts';
import type { Program, Side } from './side.ts';

const name = 'peer';
const network = 'peer-overlay';
/** One that needs no rights. */
const appPort = 8_080;

export type Order = 'stop-first' | 'start-first';

export interface SwarmService extends Omit<Side, 'update'> {
  update(image: string, order: Order): Promise<void>;
  remove(): Promise<void>;
}

interface Task {
  readonly Status: { readonly PortStatus?: { readonly Ports?: readonly { readonly PublishedPort: number }[] } };
}

/** On an overlay, without a virtual address, its port published by the node that has the task: what works everywhere. */
export async function createSwarmService(cli: DockerCli, address: string, program: Program): Promise<SwarmService> {
  await cli.docker('network', 'create', '--driver', 'overlay', network);
  await cli.docker(
    ...['service', 'create', '--detach', '--name', name, '--network', network, '--endpoint-mode', 'dnsrr'],
    ...['--publish', `mode=host,target=${appPort}`, '--no-resolve-image'],
    ...['--workdir', program.folder, '--user', program.user, '--cap-drop', 'ALL'],
    ...[...program.variables, `PORT=${appPort}`].flatMap((variable) => ['--env', variable]),
    ...[program.image, ...program.command],
  );
  const filters = encodeURIComponent(JSON.stringify({ service: [name], 'desired-state': ['running'] }));
  /** The bodies of the tasks that are to run; those that do not answer yet are left out. */
  const answers = async (): Promise<readonly string[]> => {
    const tasks = await cli.read<readonly Task[]>(`/tasks?filters=${filters}`);
    const ports = tasks.flatMap(({ Status }) =>
      (Status.PortStatus?.Ports ?? []).map(({ PublishedPort }) => PublishedPort),
    );
    // Each port is there twice, for IPv4 and IPv6.
    const bodies = await Promise.all([...new Set(ports)].map((port) => bodyOf(address, port)));
    return bodies.filter((body) => body !== null);
  };
  return {
    update: async (image, order) =>
      void (await cli.docker(
        ...['service', 'update', '--detach', '--no-resolve-image', '--update-order', order, '--image', image, name],
      )),
    scale: async (quantity) => void (await cli.docker('service', 'scale', '--detach', `${name}=${quantity}`)),
    serves: async (version) => (await answers()).some((body) => body.includes(`"${version}"`)),
    answering: async () => (await answers()).length,
    async containers() {
      const words = ['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${name}`];
      return (await cli.docker(...words)).split('\n').filter(Boolean).length;
    },
    async remove() {
      await cli.docker('service', 'rm', name);
    },
  };
}

function bodyOf(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const call = get({ host, port, agent: false, timeout: 2_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece;
      });
      response.once('end', () => resolve(response.statusCode === 200 ? body : null));
      response.once('error', () => resolve(null));
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(null));
  });
}
