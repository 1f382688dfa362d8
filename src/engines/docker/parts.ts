/** Puts the engine's parts together over one daemon. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LinkTable } from '../common/link-table.ts';
import { DockerApi } from './api/docker-api.ts';
import { endpointOf } from './api/endpoint.ts';
import { isAtLeast } from './api/version.ts';
import { createDockerImages } from './images/images.ts';
import { RunnableImages } from './images/runnable-images.ts';
import { StackImage } from './images/stack-image.ts';
import { Launcher } from './launcher.ts';
import { Names } from './names.ts';
import { LinkPlaces } from './network/link-places.ts';
import { NodeFirewall } from './network/node-firewall.ts';
import { Spaces } from './network/spaces.ts';
import { parseSubnet } from './network/subnets.ts';
import { NodeHelper } from './node-helper.ts';
import { Notes } from './notes.ts';
import { Pods } from './pods.ts';
import { runIn } from './run-in.ts';
import { Sessions } from './sessions.ts';
import { type DockerEngineOptions, defaultAddressPool } from './settings.ts';
import { Volumes } from './volumes.ts';

export type EngineParts = ReturnType<typeof assemble>;

/** The version from which a daemon gives a new terminal its size itself. */
const consoleSizeSince = '1.42';

export function assemble(options: DockerEngineOptions) {
  const { stateFolder, logger, clock, installId } = options;
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  const api = new DockerApi(endpointOf(options.host, options.tls ?? null));
  const names = new Names(installId);
  const addressPool = options.addressPool ?? defaultAddressPool;
  const stack = new StackImage(api, options.nodePath ?? process.execPath);
  const image = (): Promise<string> => stack.ensure();
  const helper = new NodeHelper({ api, names, image });
  const table = new LinkTable(join(stateFolder, 'links.json'));
  const places = new LinkPlaces(table);
  const rules = {
    chainPrefix: names.chainPrefix,
    pool: addressPool,
    allowHostPorts: options.allowHostPorts ?? [],
    refuse: options.refuse ?? [],
    routers: options.routers ?? [],
  };
  const firewall = new NodeFirewall({ api, helper, rules });
  const pool = parseSubnet(addressPool);
  const spaces = new Spaces({ api, names, helper, firewall, places, logger, pool, image });
  const pods = new Pods({
    api,
    names,
    image,
    runIn: async (name, ...words) => void (await runIn(api, name, ...words)),
  });
  const volumes = new Volumes(api, names);
  const knowsConsoleSize = async (): Promise<boolean> => isAtLeast(await api.version(), consoleSizeSince);
  const now = (): Date => clock.now();
  const sessions = new Sessions({ api, helper, now, knowsConsoleSize });
  const images = new RunnableImages({ api, names, stack, artifactFolder: options.artifactFolder });
  const dockerImages = createDockerImages({
    ...{ names, clock, logger },
    nodes: async () => [api],
    protect: () => firewall.raise(),
    hostEnvironment: options.hostEnvironment ?? {},
  });
  const launcher = new Launcher({
    ...{ api, names, images, spaces, firewall, places, pods, volumes, sessions, knowsConsoleSize, now },
    stack: image,
    hostEnvironment: options.hostEnvironment ?? {},
  });
  const notes = new Notes(join(stateFolder, 'instances'));
  return {
    api,
    names,
    stack,
    helper,
    table,
    places,
    firewall,
    spaces,
    pods,
    volumes,
    sessions,
    launcher,
    notes,
    images: dockerImages,
  };
}
