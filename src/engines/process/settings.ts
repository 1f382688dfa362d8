/** What the agent is told when it starts. `src/main` reads the settings and fills these in. */
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { LogStore } from '../../core/ports/log-store.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Elsewhere } from './network/firewall-rules.ts';

export interface AgentOptions {
  /** `$BERTH_DATA`. The agent keeps its own state under `<dataFolder>/agent`, mode 0700. */
  readonly dataFolder: string;
  /** Default `<dataFolder>/run/agent.sock`; made with mode 0600. */
  readonly socketPath?: string;
  /** Default `<dataFolder>/artifacts`; an artifact `sha256:<hex>` lies read-only at `<artifactFolder>/<hex>/tree`. */
  readonly artifactFolder?: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Where the lines of instances and jobs go. Only `append` is used. */
  readonly logAppender: Pick<LogStore, 'append'>;
  /** `auto`: as much as the machine allows. `none`: plain child processes of the agent's own user. */
  readonly isolation: 'auto' | 'none';
  /** `none` leaves control groups alone: memory is then watched by resident set. Default `auto`. */
  readonly cgroups?: 'auto' | 'none';
  /** Ports given to instances as `$PORT`, both ends included. Default 20000 to 29999. */
  readonly portRange?: { readonly first: number; readonly last: number };
  /** TCP ports of the host's loopback that instances may reach, at `host.berth.internal` (add-ons listen there). */
  readonly allowHostPorts?: readonly number[];
  /** Where instances of other engines are, which those of this one do not reach, as far as they have a network of their own. Default nowhere. */
  readonly elsewhere?: Elsewhere;
  /** Given to every instance and job below its own environment: certificate bundles, proxies. */
  readonly hostEnvironment?: Readonly<Record<string, string>>;
  /** The Node runtime that instances find on their PATH. Default: the one that runs the agent. */
  readonly nodePath?: string;
  /** The name of this machine in `describe` and `list`. Default `local`. */
  readonly nodeId?: string;
}

/** The search path of the agent's own helper programs; nothing else of its environment reaches them. */
export const helperPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const helperEnvironment: Readonly<Record<string, string>> = { PATH: helperPath, LC_ALL: 'C' };
/** In the environment of everything that the agent starts for a unit: how strays are found where there is no control group. */
export const markName = 'BERTH_INSTANCE_ID';
