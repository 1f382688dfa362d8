/** The data path as the core sees it. The router keeps the last table on disk and serves by it without the server. */
export interface RouteTarget {
  /** The instance id. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly processType: string;
}

export interface RouteApp {
  readonly appId: string;
  readonly handle: string;
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
  readonly appId: string;
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
  readonly apps: readonly RouteApp[];
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
  /** Resolves when no request to these targets (already out of the table) is in flight, or after the time. Says how many were left. */
  drain(targetIds: readonly string[], timeoutMs: number): Promise<{ readonly leftInFlight: number }>;
  counters(): Promise<readonly RouterCounters[]>;
}
