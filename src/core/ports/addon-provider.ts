/**
 * What makes add-ons: a database server of ours, or somebody's service that is called over HTTP. Every verb may be said again after a
 * crash in the middle: it is idempotent by `addonId`, and by `bindingId` where there is one.
 */
import type { Environment, Secret } from './secret.ts';

/** What a plan promises; null where it promises nothing. */
export interface PlanLimits {
  /** Above it the add-on only reads. */
  readonly storageBytes: number | null;
  readonly connections: number | null;
}

export interface ProviderAddon {
  readonly addonId: string;
  readonly name: string;
  /** Random and the add-on's own, the same in every call: passwords are made from it. */
  readonly secret: Secret;
  /** What `provision` gave before, or null. */
  readonly resourceId: string | null;
  /** What the provider gave to keep for the add-on. */
  readonly config: Environment;
  readonly plan: { readonly name: string; readonly limits: PlanLimits };
  readonly service: ProviderService;
  readonly teamName: string;
  /** What whoever asked for it chose beside the plan. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly ownerApp: ProviderApp | null;
}

export interface ProviderService {
  readonly name: string;
  /** Of a service that was registered by manifest. */
  readonly manifest: ServiceManifest | null;
}

/** How a provider is called, and how it proves that it calls us. */
export interface ServiceManifest {
  /** `http(s)://…`; resources are made and changed below it. */
  readonly baseUrl: string;
  /** Where people are sent to be signed in at the provider, or null. */
  readonly ssoUrl: string | null;
  readonly username: string;
  readonly password: Secret;
  readonly ssoSalt: Secret;
  /** The names of the variables that it gives; others are refused. Empty: any. */
  readonly configNames: readonly string[];
}

export interface ProviderApp {
  readonly id: string;
  readonly handle: string;
}

export interface ProviderBinding {
  readonly bindingId: string;
  readonly app: ProviderApp;
}

export interface Provisioned {
  /** False: it is being made. The same verb is said again later, with the `resourceId` and `config` of this answer, until it is true. */
  readonly ready: boolean;
  /** The provider's name for it, at most 255 characters. */
  readonly resourceId: string;
  readonly config: Environment;
  /** For whoever asked for the add-on. */
  readonly message: string;
}

/** The provider refuses, and saying it again would not help; the message is for the add-on's owner. Anything else that throws is tried again. */
export class AddonRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AddonRefused';
  }
}

export interface Measured {
  readonly storageBytes: number;
  /** Whether it only reads because of `restrict`. */
  readonly restricted: boolean;
}

export interface AddonProvider {
  provision(addon: ProviderAddon, signal: AbortSignal): Promise<Provisioned>;
  /** `addon.plan` is the plan to go to. Gives a message, and config that replaces the add-on's when not null. */
  changePlan(
    addon: ProviderAddon,
    signal: AbortSignal,
  ): Promise<{ readonly message: string; readonly config: Environment | null }>;
  /** The variables for one app. */
  bind(addon: ProviderAddon, binding: ProviderBinding, signal: AbortSignal): Promise<Environment>;
  unbind(addon: ProviderAddon, binding: ProviderBinding, signal: AbortSignal): Promise<void>;
  /** One that is gone already, or never was, is no error. */
  deprovision(addon: ProviderAddon, signal: AbortSignal): Promise<void>;
  /** Where a person is sent to be signed in at the provider; null when it has no such place. `at` is now. */
  sso(addon: ProviderAddon, at: Date): Promise<{ readonly url: string } | null>;
  /** How much it stores. Absent: nobody watches it. */
  measure?(addon: ProviderAddon): Promise<Measured>;
  /** Lets it only read, or write again. */
  restrict?(addon: ProviderAddon, restricted: boolean): Promise<void>;
}

/** Providers by the name that services have them under. */
export type AddonProviders = Readonly<Record<string, AddonProvider>>;
