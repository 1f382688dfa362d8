/** Puts together what the engine has on one node, over its daemon. */
import type { DockerApi } from './api/docker-api.ts';
import { isAtLeast } from './api/version.ts';
import { StepLimits } from './images/build/step-limits.ts';
import type { ImageExchange } from './images/image-exchange.ts';
import { publicOnly } from './images/registry-rules.ts';
import { defaultFloorBytes } from './images/retention/free-space.ts';
import { RunnableImages } from './images/runnable-images.ts';
import { StackImage } from './images/stack-image.ts';
import { Launcher } from './launcher.ts';
import { BuildFirewall } from './network/build-firewall.ts';
import { Gateways } from './network/gateways.ts';
import { NodeFirewall } from './network/node-firewall.ts';
import type { NodeRules } from './network/node-rules.ts';
import { NodeHelper } from './node-helper.ts';
import { Pods } from './pods.ts';
import { runIn } from './run-in.ts';
import { Sessions } from './sessions.ts';
import type { SharedParts } from './shared-parts.ts';
import { Volumes } from './volumes.ts';

export type NodeParts = ReturnType<typeof assemble>;

/** What the fleet knows of a node and its surroundings. */
export interface NodeSurroundings {
  /** Machines that no instance may reach, and those that may reach instances. */
  readonly addresses: () => Pick<NodeRules, 'refuse' | 'routers'>;
  /** Images that other nodes have. */
  readonly exchange: ImageExchange;
}

/** The version from which a daemon gives a new terminal its size itself. */
const consoleSizeSince = '1.42';

export function assemble(shared: SharedParts, api: DockerApi, surroundings: NodeSurroundings) {
  const { options, names, addressPool, places, networks } = shared;
  const { clock } = options;
  const { exchange } = surroundings;
  const stack = new StackImage(api, options.nodePath ?? process.execPath, (reference) =>
    exchange.share(api, reference),
  );
  const image = (): Promise<string> => stack.ensure();
  const helper = new NodeHelper({ api, names, image });
  const rules = () => ({
    pool: addressPool,
    allowHostPorts: options.allowHostPorts ?? [],
    ...surroundings.addresses(),
  });
  const firewall = new NodeFirewall({ api, helper, chainPrefix: names.chainPrefix, rules });
  const buildFirewall = new BuildFirewall({ api, helper, chainPrefix: names.chainPrefix, rules });
  const gateways = new Gateways({ api, names, networks, helper, firewall, places, image });
  const pods = new Pods({
    api,
    names,
    image,
    runIn: async (name, ...words) => void (await runIn({ api, container: name }, ...words)),
  });
  const volumes = new Volumes(api, names);
  const knowsConsoleSize = async (): Promise<boolean> => isAtLeast(await api.version(), consoleSizeSince);
  const now = (): Date => clock.now();
  const sessions = new Sessions({ api, helper, now, knowsConsoleSize });
  const { artifactFolder, registries = publicOnly, allowRoot = false } = options;
  const images = new RunnableImages({
    ...{ api, names, stack, artifactFolder, registries, exchange, allowRoot, logger: options.logger },
    freeSpaceFloorBytes: options.freeSpaceFloorBytes ?? defaultFloorBytes,
    ready: () => helper.standing(),
  });
  const launcher = new Launcher({
    ...{ api, names, images, gateways, firewall, places, pods, volumes, sessions, knowsConsoleSize, now },
    stack: image,
    hostEnvironment: options.hostEnvironment ?? {},
    logAppender: options.logAppender,
    logger: options.logger,
  });
  const stepLimits = new StepLimits({ api, helper });
  return { stack, stepLimits, helper, firewall, buildFirewall, gateways, pods, volumes, sessions, launcher };
}
