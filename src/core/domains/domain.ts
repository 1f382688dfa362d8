import type { Hostname, Id } from '../names.ts';
/** A host name (with an optional path) that leads to an app. The default `<handle>.<base domain>` needs no row. */
export interface Domain {
  readonly id: Id<'domain'>;
  readonly appId: Id<'app'>;
  readonly hostname: Hostname;
  readonly pathPrefix: string;
  readonly replacePrefix: string | null;
  /** Leads to this process and port only; null (both): to the routed processes. */
  readonly processType: string | null;
  readonly port: number | null;
  readonly createdAt: Date;
}
export interface DomainStore {
  list(appId: Id<'app'>): Promise<readonly Domain[]>;
  all(): Promise<readonly Domain[]>;
  find(reference: string): Promise<Domain | null>;
  /** Throws conflict `domain-exists` when host and path are taken by any app. */
  insert(domain: Domain): Promise<void>;
  remove(id: Id<'domain'>): Promise<void>;
}
