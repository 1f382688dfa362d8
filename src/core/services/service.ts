import type { Id } from '../names.ts';
import type { PlanLimits, ServiceManifest } from '../ports/addon-provider.ts';

/** Something of which add-ons are made: an entry of the catalogue. */
export interface Service {
  readonly id: Id<'service'>;
  /** Unique; in addresses and commands. */
  readonly name: string;
  /** As people read it. */
  readonly label: string;
  readonly shortDescription: string;
  readonly description: string;
  /** E.g. `database`; services of one kind have the same. */
  readonly category: string;
  readonly logoUrl: string | null;
  /** Which `AddonProvider` makes its add-ons: a name of `AddonProviders`. */
  readonly provider: string;
  /** Who is behind it, for people. */
  readonly providerName: string;
  readonly providerUrl: string | null;
  /** The team that runs it; null: the platform. */
  readonly teamId: Id<'team'> | null;
  /** Whether one add-on may be bound to several apps. */
  readonly shareable: boolean;
  /** Whether an app may have several. */
  readonly multiple: boolean;
  /** For people who use it. */
  readonly doc: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A size of a service, with its price. */
export interface Plan {
  readonly id: Id<'plan'>;
  readonly serviceId: Id<'service'>;
  /** Unique in the service. */
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** For thirty days. */
  readonly priceCents: number;
  readonly limits: PlanLimits;
  /** Shown with it, e.g. `version`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Lists are in this order: smallest first. */
  readonly position: number;
  readonly createdAt: Date;
}

export interface ServiceWithPlans extends Service {
  readonly plans: readonly Plan[];
}

export interface ServiceStore {
  /** By name. */
  list(): Promise<readonly ServiceWithPlans[]>;
  /** By id or name. */
  find(reference: string): Promise<ServiceWithPlans | null>;
  /** Throws conflict `service-exists`. Plans are put in with it. */
  insert(service: Service, plans: readonly Plan[], manifest: ServiceManifest | null): Promise<void>;
  /** Changes the service; `plans` replace those that are there by name: add-ons keep theirs. Throws conflict `plan-has-addons`. */
  update(service: Service, plans: readonly Plan[] | null, manifest: ServiceManifest | null): Promise<void>;
  /** Throws conflict `service-has-addons`. */
  remove(id: Id<'service'>): Promise<void>;
  /** Kept sealed. */
  findManifest(id: Id<'service'>): Promise<ServiceManifest | null>;
  /** The service whose manifest has this user name. */
  findByManifestUser(username: string): Promise<Service | null>;
}
