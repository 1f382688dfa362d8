/**
 * What an application definition says, whichever of the two formats it was written in: the definition as `GET config` shows it, and its
 * components with every reference resolved. `parseDefinition` makes it; nothing here knows HTTP or the core's services.
 */
import type { ImageReference } from '../../../core/images/image-reference.ts';
import type { Place } from './place.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** Rules that concern several components compare each with each. */
export const maxComponents = 250;

export interface ParsedDefinition {
  /** The app's name as given; a later format's definition without one is named by its content. */
  readonly name: string;
  readonly format: 'v1' | 'v2';
  /** Normalised. Its keys have an order, which `jsonb` would lose. */
  readonly definition: JsonObject;
  readonly services: readonly ServiceDefinition[];
  readonly components: readonly ComponentDefinition[];
}

export interface ServiceDefinition {
  readonly name: string;
  /** 1 and 10 where the definition says nothing. */
  readonly min: number;
  readonly max: number;
}

export interface ComponentDefinition {
  readonly service: string;
  /** Within the service. In the later format: the rest of the tree path, which may have `/`; of a root component the service's name. */
  readonly name: string;
  /** The core's process type, from service and name by `processTypeOf`. */
  readonly type: string;
  /** Where it stands in the definition. */
  readonly place: Place;
  /** The same as text, e.g. `["services"][0]["components"][1]`. */
  readonly path: string;
  readonly image: ImageReference;
  readonly entrypoint: string | null;
  readonly args: readonly string[] | null;
  /** Names fit the core's `configName`. */
  readonly env: Readonly<Record<string, string>>;
  /** TCP, without repetition, in the order given. */
  readonly ports: readonly number[];
  readonly domains: readonly DomainDefinition[];
  readonly mounts: readonly MountDefinition[];
  readonly links: readonly LinkDefinition[];
  /** Unique in the app. Members have the same min and max. */
  readonly pod: string | null;
  readonly min: number;
  readonly max: number;
}

/** A host name (in lower case, once in an app) and the component's port that it leads to. */
export interface DomainDefinition {
  readonly hostname: string;
  readonly port: number;
}

export interface MountDefinition {
  /** Absolute, without a trailing slash, once in a component. */
  readonly path: string;
  /** Of a volume of its own; null with `from`. */
  readonly sizeBytes: number | null;
  /** The owner of the volume, always in the same pod, and the owner's path; null: the component's own volume. */
  readonly from: { readonly type: string; readonly path: string } | null;
  /** One volume for all instances. */
  readonly shared: boolean;
}

export interface LinkDefinition {
  /** A lower-case host label: the alias, else the component part of the target's name. */
  readonly name: string;
  /** Process type of the target. It has the port among its ports. */
  readonly type: string;
  readonly port: number;
}

/** Min and max as far as something says them. */
export interface Scale {
  readonly min?: number;
  readonly max?: number;
}

/** A component as one format's reader hands it on: names are checked, what concerns several components is not. */
export interface ComponentDraft extends Omit<ComponentDefinition, 'path' | 'mounts' | 'links' | 'min' | 'max'> {
  /** What `volumes-from` of others call it, made unique in the app. */
  readonly key: string;
  readonly volumes: readonly VolumeDraft[];
  readonly links: readonly (LinkDefinition & { readonly place: Place })[];
  /** What the component says itself, and what counts where neither it nor another of its pod says anything. */
  readonly scale: Scale;
  readonly inheritedScale: Scale;
  readonly scalePlace: Place;
}

/** `owner` is the `key` of another component. */
export type VolumeDraft =
  | {
      readonly kind: 'own';
      readonly place: Place;
      readonly path: string;
      readonly sizeBytes: number;
      readonly shared: boolean;
    }
  | { readonly kind: 'all-of'; readonly place: Place; readonly owner: string }
  | {
      readonly kind: 'one-of';
      readonly place: Place;
      readonly owner: string;
      readonly ownerPath: string;
      readonly path: string;
    };

export interface DefinitionDraft extends Omit<ParsedDefinition, 'components'> {
  readonly components: readonly ComponentDraft[];
  readonly pods: readonly { readonly name: string; readonly place: Place }[];
}
