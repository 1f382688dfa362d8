/**
 * Names as branded types, one validator each. Nothing else in the platform decides what a name may look like; whatever reaches a path,
 * an argument vector or a host name went through here. A leading `-` is refused everywhere.
 */
import { invalid } from './errors.ts';

declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

/** UUID v4 in lower case; every row's key. */
export type Id<N extends string = string> = string & { readonly [brand]?: `id:${N}` };
export type Handle = Branded<'handle'>;
export type AppName = Branded<'app-name'>;
export type SpaceName = Branded<'space-name'>;
export type TeamName = Branded<'team-name'>;
export type Username = Branded<'username'>;
export type ProcessType = Branded<'process-type'>;
export type ConfigName = Branded<'config-name'>;
export type Hostname = Branded<'hostname'>;

function rule<B extends string>(
  noun: string,
  pattern: RegExp,
  max: number,
  words: string,
): (value: unknown, field?: string) => Branded<B> {
  return (value, field = noun) => {
    if (typeof value !== 'string' || value.length === 0) throw invalid(field, `${field} is required`, 'missing');
    if (value.length > max) throw invalid(field, `${field} is longer than ${max} characters`, 'too-long');
    if (!pattern.test(value)) throw invalid(field, `${field} must be ${words}`, 'malformed');
    return value as Branded<B>;
  };
}

const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** An app's globally unique handle: a DNS label, at most 63 characters. */
export const handle = rule<'handle'>('handle', label, 63, 'lower-case letters, digits and inner dashes');
export const appName = rule<'app-name'>('name', label, 63, 'lower-case letters, digits and inner dashes');
export const spaceName = rule<'space-name'>('space', label, 40, 'lower-case letters, digits and inner dashes');
export const teamName = rule<'team-name'>(
  'team',
  /^[a-zA-Z0-9_][a-zA-Z0-9_.@-]*$/,
  63,
  'letters, digits and inner . _ @ -',
);
export const username = rule<'username'>(
  'username',
  /^[a-zA-Z0-9_][a-zA-Z0-9_.@+-]*$/,
  120,
  'letters, digits and inner . _ @ + -',
);
/** `web`, `worker`, or a Giant Swarm `service/component`. */
export const processType = rule<'process-type'>(
  'process type',
  /^[a-zA-Z0-9_][a-zA-Z0-9_-]*(?:\/[a-zA-Z0-9_][a-zA-Z0-9_-]*)?$/,
  64,
  'letters, digits, dashes and at most one /',
);
export const configName = rule<'config-name'>(
  'config variable',
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  256,
  'letters, digits and underscores, not starting with a digit',
);
/** An add-on, or its name at an app. */
export const addonName = rule<'addon-name'>(
  'addon name',
  /^[A-Za-z][A-Za-z0-9_-]*$/,
  63,
  'letters, digits, dashes and underscores, starting with a letter',
);
/** A service or one of its plans. */
export const serviceName = rule<'service-name'>(
  'service name',
  /^[A-Za-z0-9][A-Za-z0-9_.:-]*$/,
  63,
  'letters, digits and inner . _ : -',
);
export const poolName = rule<'pool-name'>('pool', label, 40, 'lower-case letters, digits and inner dashes');
/** A host name in lower case, or `*.` before one. */
export const hostname = rule<'hostname'>(
  'domain',
  /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  253,
  'a host name in lower case',
);

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Whether a text has the form of an id; a look-up by id or name uses it to choose the column. */
export const isId = (value: string): boolean => uuid.test(value);

const SHORT_DIGITS = 24;
/** For APIs whose ids have 24 hex digits: the first ones of an id. `idBounds` reads it back. */
export const shortId = (id: string): string => id.replaceAll('-', '').slice(0, SHORT_DIGITS);

/** The lowest and the highest id that a text may stand for: an id itself, or a short one with anything after it. Null for other texts. */
export function idBounds(reference: string): readonly [low: string, high: string] | null {
  if (isId(reference)) return [reference, reference];
  if (!/^[0-9a-f]{24}$/.test(reference)) return null;
  return [asId(`${reference}00000000`), asId(`${reference}ffffffff`)];
}

const asId = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
