/** The parts of the Engine API's answers that Berth reads, under the API's own names. Source: Docker Engine API, version 1.41. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly ImageID: string;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, { readonly IPAddress: string }>> };
}

export interface ContainerState {
  readonly Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  readonly Running: boolean;
  readonly OOMKilled: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
}

export interface ContainerDetails {
  readonly Id: string;
  readonly Created: string;
  readonly State: ContainerState;
  readonly Config: {
    readonly Labels: Readonly<Record<string, string>>;
    readonly Tty: boolean;
    /** The image's, unless the container was made with one of its own. */
    readonly StopSignal?: string;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

export interface ContainerStats {
  readonly read: string;
  readonly cpu_stats: {
    readonly cpu_usage: { readonly usage_in_usermode: number; readonly usage_in_kernelmode: number };
  };
  readonly memory_stats: { readonly usage?: number; readonly limit?: number; readonly stats?: Record<string, number> };
  readonly pids_stats: { readonly current?: number };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
}

export interface ExecDetails {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  /** In the daemon's own process namespace. */
  readonly Pid: number;
}

export interface NetworkDetails {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** Of the driver. */
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly IPAM: { readonly Config: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
}

export interface ImageDetails {
  readonly Id: string;
  readonly RepoDigests: readonly string[] | null;
  readonly RepoTags: readonly string[] | null;
  /** Bytes of all its layers. */
  readonly Size: number;
  readonly Config: {
    readonly User?: string;
    readonly ExposedPorts?: Readonly<Record<string, object>> | null;
    readonly Volumes?: Readonly<Record<string, object>> | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
  } | null;
}

export interface DaemonInfo {
  readonly ServerVersion: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly CgroupVersion?: string;
  readonly Swarm: {
    readonly NodeID: string;
    readonly NodeAddr: string;
    readonly LocalNodeState: 'inactive' | 'pending' | 'active' | 'error' | 'locked';
    readonly ControlAvailable: boolean;
    readonly Error: string;
    /** All managers that it knows, itself among them. */
    readonly RemoteManagers?: readonly { readonly NodeID: string }[] | null;
  };
}
