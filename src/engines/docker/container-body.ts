/** What Docker is asked to run for an instance. Pure. */
import { type LinkEnd, linkVariables } from '../../core/instances/link-variables.ts';
import type { InstanceSpec } from '../../core/ports/engine.ts';
import type { Identity } from './identity.ts';
import type { RunnableImage } from './images/runnable-images.ts';
import { nodeInside } from './images/stack-image.ts';
import { labels, type Names } from './names.ts';
import { isRoot } from './owner.ts';
import { readOnlyRoot } from './read-only.ts';
import { markName } from './settings.ts';
import { uploadMounts } from './uploads.ts';

export interface ContainerPlan {
  readonly spec: InstanceSpec;
  readonly identity: Identity;
  readonly image: RunnableImage;
  readonly names: Names;
  /** The network's name, or the container that holds the pod's. */
  readonly network: { readonly name: string } | { readonly holder: string };
  /** The node as instances see it. */
  readonly gateway: string;
  readonly ends: readonly LinkEnd[];
  readonly hostEnvironment: Readonly<Record<string, string>>;
  /** Docker's own way to give a terminal its first size. */
  readonly knowsConsoleSize: boolean;
}

/** Kept by Docker for readers who were away; each file is compressed when it is full. */
const log = { Type: 'local', Config: { 'max-size': '20m', 'max-file': '5' } };

/**
 * Of Docker's own default the ones that images need which begin as root: to give themselves their folders, and to become somebody else. No
 * raw sockets, no device nodes, no audit.
 */
const rootsRights = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'].map(
  (name) => `CAP_${name}`,
);

export function containerBody(plan: ContainerPlan): object {
  const { spec, identity, image, names, network } = plan;
  const { interactive, terminal } = identity;
  const inPod = 'holder' in network;
  const mounts = mountsOf(plan);
  return {
    Image: image.reference,
    User: image.user,
    ...(image.own ? { WorkingDir: '/app' } : {}),
    ...commandOf(plan),
    Env: environmentOf(plan),
    Tty: terminal,
    OpenStdin: interactive,
    StdinOnce: interactive,
    AttachStdin: interactive,
    AttachStdout: interactive,
    AttachStderr: interactive,
    // An image's own checks would run beside its instances, within no limit of theirs and as often as it likes.
    Healthcheck: { Test: ['NONE'] },
    Labels: names.labels('instance', {
      [labels.space]: spec.spaceId,
      [labels.identity]: JSON.stringify(identity),
      // Also when there is none: an image's own label of this name counts for nothing.
      [labels.pod]: identity.podKey ?? '',
    }),
    ...(inPod ? {} : { Hostname: hostnameOf(spec) }),
    HostConfig: {
      NetworkMode: inPod ? `container:${network.holder}` : network.name,
      ...(inPod ? {} : { ExtraHosts: Object.entries(hostsOf(plan)).map((pair) => pair.join(':')) }),
      Memory: spec.limits.memoryBytes,
      MemorySwap: spec.limits.memoryBytes,
      CpuShares: spec.limits.cpuShares,
      PidsLimit: spec.limits.pids,
      Init: true,
      CapDrop: ['ALL'],
      ...(isRoot(image.user) ? { CapAdd: rootsRights } : {}),
      SecurityOpt: ['no-new-privileges'],
      LogConfig: interactive ? { Type: 'none' } : log,
      Mounts: mounts,
      ...(image.readOnly === true
        ? readOnlyRoot(
            image.user,
            spec.limits.memoryBytes,
            mounts.map(({ Target }) => Target),
          )
        : {}),
      ...(spec.terminal !== undefined && plan.knowsConsoleSize
        ? { ConsoleSize: [spec.terminal.rows, spec.terminal.columns] }
        : {}),
    },
  };
}

function mountsOf({ spec, image, names }: ContainerPlan) {
  const own = (spec.mounts ?? []).map(({ volumeId, path }) => ({
    Type: 'volume',
    Source: names.volume(volumeId),
    Target: path,
  }));
  return [...own, ...uploadMounts(spec.uploads, image)];
}

export const hostnameOf = ({ appHandle }: Pick<InstanceSpec, 'appHandle'>): string => appHandle.slice(0, 63);

/** Lines of /etc/hosts: the node by a name that is the same everywhere, and every link. */
export function hostsOf({ gateway, ends }: Pick<ContainerPlan, 'gateway' | 'ends'>): Readonly<Record<string, string>> {
  const links = Object.fromEntries(ends.map(({ name, at }) => [name, at.host]));
  return { 'host.berth.internal': gateway, ...links };
}

function commandOf({ spec, image, knowsConsoleSize }: ContainerPlan): object {
  const { command, terminal } = spec;
  if (typeof command === 'object' && 'arguments' in command)
    return command.arguments === null ? {} : { Cmd: command.arguments };
  const isText = typeof command === 'string';
  const words = isText ? ['/bin/sh', '-c', command] : command;
  const hasShell = image.own || isText;
  const asked =
    terminal === undefined || knowsConsoleSize || !hasShell
      ? words
      : sizedCommand(terminal.columns, terminal.rows, words);
  // An empty list takes the image's own away.
  return { Entrypoint: [], Cmd: asked };
}

/** A command that finds its terminal in the right size, for daemons that cannot make one so. */
export function sizedCommand(columns: number, rows: number, command: readonly string[]): string[] {
  const script = 'stty columns "$1" rows "$2" 2>/dev/null; shift 2; exec "$@"';
  return ['/bin/sh', '-c', script, 'sh', String(columns), String(rows), ...command];
}

function environmentOf({ spec, identity, image, gateway, ends, hostEnvironment }: ContainerPlan): string[] {
  const own = {
    PATH: `${nodeInside}:/usr/local/bin:/usr/bin:/bin`,
    HOME: '/app',
    USER: 'app',
    LOGNAME: 'app',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
  };
  const given = Object.entries(spec.environment).map(([name, value]) => [name, value.reveal()] as const);
  const whole: Record<string, string> = {
    ...(image.own ? own : {}),
    ...hostEnvironment,
    BERTH_HOST_ADDRESS: gateway,
    ...linkVariables(spec.appHandle, ends),
    ...(identity.terminal ? { TERM: 'xterm-256color' } : {}),
    // Its own process group gets the signals, not only its first process.
    TINI_KILL_PROCESS_GROUP: '1',
    ...Object.fromEntries(given),
    ...(identity.port === null ? {} : { PORT: String(identity.port) }),
    [markName]: spec.id,
  };
  return Object.entries(whole)
    .filter(([name, value]) => name !== '' && !/[=\0]/.test(name) && !value.includes('\0'))
    .map(([name, value]) => `${name}=${value}`);
}
