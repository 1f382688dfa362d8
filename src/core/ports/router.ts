/** The data path as the core sees it. The router keeps the last table on disk and serves by it without the server. */
/** A port of an instance. One instance may be a target of several backends, on the same port or on different ones; it drains as one. */
export interface RouteTarget {
  /** The instance id. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly processType: string;
}

/** Who answers for a route: some instances of one app. */
export interface RouteBackend {
  /** Unique in the table, and the same in the next one: turns of the balancer go by it. */
  readonly id: string;
  /** Whose counters and access lines its requests go to. */
  readonly appId: string;
  /** `maintenance` shows the maintenance page; `serving` balances over `targets` (none: 503 with the platform's code). */
  readonly mode: 'serving' | 'maintenance';
  readonly targets: readonly RouteTarget[];
}

export interface Route {
  /** Lower-case host name, or `*.` before one. */
  readonly host: string;
  /** `/` or a prefix; the longest wins. Only whole segments match. */
  readonly pathPrefix: string;
  /** Put in the prefix's place when set; null leaves the path alone. */
  readonly replacePrefix: string | null;
  /** The id of a backend of the same table. */
  readonly backend: string;
}

export interface RouteCertificate {
  readonly hosts: readonly string[];
  readonly certificatePem: string;
  /** PEM; the file on disk that holds it has mode 0600. */
  readonly privateKeyPem: string;
}

export interface RoutingTable {
  /** Grows with each change; an older one is ignored. */
  readonly version: number;
  readonly routes: readonly Route[];
  readonly backends: readonly RouteBackend[];
  readonly certificates: readonly RouteCertificate[];
}

export interface RouterCounters {
  readonly appId: string;
  readonly requests: number;
  readonly failed: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly durationSeconds: number;
  readonly inFlight: number;
}

export interface Router {
  /** Resolves when every worker routes by it and it is on disk. */
  apply(table: RoutingTable): Promise<void>;
  /**
   * Resolves when no request to any port of these instances (already out of the table) is in flight, or after the time. Says how many
   * were left.
   */
  drain(targetIds: readonly string[], timeoutMs: number): Promise<{ readonly leftInFlight: number }>;
  counters(): Promise<readonly RouterCounters[]>;
}
