import type { Visibility } from '../access/actor.ts';
import type { Id } from '../names.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import type { Environment, Secret } from '../ports/secret.ts';

export type AddonState = 'provisioning' | 'running' | 'failed' | 'removing';

/** An instance of a plan. It belongs to a team, and mostly to an app, with which it goes. */
export interface Addon {
  readonly id: Id<'addon'>;
  /** Unique in its service. */
  readonly name: string;
  readonly serviceId: Id<'service'>;
  /** The plan that it has. */
  readonly planId: Id<'plan'>;
  /** The plan that it is on the way to, or null. */
  readonly wantedPlanId: Id<'plan'> | null;
  readonly teamId: Id<'team'>;
  readonly appId: Id<'app'> | null;
  readonly state: AddonState;
  /** Why it failed, or what its provider said last. */
  readonly stateDescription: string;
  /** The provider's name for it; null until it is known. */
  readonly resourceId: string | null;
  /** It holds more than its plan allows and only reads. */
  readonly overLimit: boolean;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly createdBy: string;
  /** Who asked for the last change; what follows from it is recorded under that name. */
  readonly changedBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly provisionedAt: Date | null;
}

/** An add-on with the names that every dialect shows beside it; one query. */
export interface AddonView extends Addon {
  readonly serviceName: string;
  readonly serviceLabel: string;
  readonly planName: string;
  readonly planLabel: string;
  readonly planPriceCents: number;
  readonly teamName: string;
  /** Null for one that belongs to no app. */
  readonly appHandle: string | null;
}

/** What only providers get to see; kept sealed. */
export interface AddonCredentials {
  /** Random, made with the add-on. */
  readonly secret: Secret;
  /** What the provider gave for it. */
  readonly config: Environment;
}

export type BindingState = 'binding' | 'bound' | 'failed' | 'unbinding';

/** An add-on at an app: while it is bound the app has its variables, with the prefix before their names. */
export interface Binding {
  readonly id: Id<'binding'>;
  readonly addonId: Id<'addon'>;
  readonly appId: Id<'app'>;
  /** Kept here because the app may be gone before the provider was told. */
  readonly appHandle: string;
  /** Unique in the app. */
  readonly name: string;
  /** Before the name of each variable; empty for the first of its kind. */
  readonly prefix: string;
  readonly state: BindingState;
  /** Why it failed. */
  readonly stateDescription: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface BindingView extends Binding {
  readonly addonName: string;
  readonly serviceId: Id<'service'>;
  readonly serviceName: string;
  readonly planName: string;
  /** The app that the add-on belongs to. */
  readonly ownerAppId: Id<'app'> | null;
}

export interface AddonFilter {
  /** Owned by this app. */
  readonly appId?: Id<'app'>;
  readonly serviceId?: Id<'service'>;
  readonly teamId?: Id<'team'>;
}

export interface AddonStore {
  find(id: Id<'addon'>): Promise<AddonView | null>;
  /** By the service's id and the add-on's name. */
  findByName(serviceId: Id<'service'>, name: string): Promise<AddonView | null>;
  /** By the provider's own name for it. */
  findByResource(serviceId: Id<'service'>, resourceId: string): Promise<AddonView | null>;
  /** By name, then id. Visible: of these teams, or owned by these apps. */
  list(visible: Visibility, filter: AddonFilter, page: PageRequest): Promise<Page<AddonView>>;
  /** All of an app; by creation. */
  ofApp(appId: Id<'app'>): Promise<readonly AddonView[]>;
  /** Locks the row for the rest of the transaction. */
  lock(id: Id<'addon'>): Promise<Addon | null>;
  /** Throws conflict `addon-exists`. */
  insert(addon: Addon, secret: Secret): Promise<void>;
  update(id: Id<'addon'>, change: Partial<Omit<Addon, 'id' | 'serviceId' | 'createdAt' | 'createdBy'>>): Promise<void>;
  remove(id: Id<'addon'>): Promise<void>;
  credentials(id: Id<'addon'>): Promise<AddonCredentials | null>;
  setConfig(id: Id<'addon'>, config: Environment): Promise<void>;
  /** Running ones whose service has this provider. */
  running(provider: string): Promise<readonly AddonView[]>;
}

export interface BindingStore {
  find(id: Id<'binding'>): Promise<BindingView | null>;
  ofApp(appId: Id<'app'>): Promise<readonly BindingView[]>;
  ofAddon(addonId: Id<'addon'>): Promise<readonly BindingView[]>;
  /** Throws conflict `binding-exists` when the add-on is at the app already or the name is taken there. */
  insert(binding: Binding): Promise<void>;
  update(
    id: Id<'binding'>,
    change: Partial<Pick<Binding, 'state' | 'stateDescription' | 'prefix' | 'name' | 'updatedAt'>>,
  ): Promise<void>;
  /** Removes its variables too. */
  remove(id: Id<'binding'>): Promise<void>;
}
