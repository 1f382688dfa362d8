/** The rules for a host name of an app, and its row. */
import { invalid } from '../errors.ts';
import { hostname, type Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Domain } from './domain.ts';

export interface AddDomain {
  readonly hostname: string;
  /** `/` unless only a part of the host leads to the app. */
  readonly pathPrefix?: string;
  /** Put in the prefix's place before the app sees the path; null leaves it. */
  readonly replacePrefix?: string | null;
  /** Leads to this process and port only. */
  readonly target?: { readonly processType: string; readonly port: number };
}

const path = /^\/(?:[A-Za-z0-9_.~!$&'()*+,;=:@%-]+(?:\/|$))*$/;

/** `baseDomain`: names below it belong to the platform, an app has its own there already. Throws invalid `reserved`, `malformed`. */
export function newDomain({ ids, clock }: CoreContext, baseDomain: string, appId: Id<'app'>, input: AddDomain): Domain {
  const name = hostname(input.hostname.toLowerCase(), 'domain');
  if (name === baseDomain || name.endsWith(`.${baseDomain}`))
    throw invalid('domain', `names below ${baseDomain} are the platform's`, 'reserved');
  return {
    id: ids.id(),
    appId,
    hostname: name,
    pathPrefix: checkPath('path', input.pathPrefix ?? '/'),
    replacePrefix: input.replacePrefix == null ? null : checkPath('target path', input.replacePrefix),
    processType: input.target?.processType ?? null,
    port: input.target?.port ?? null,
    createdAt: clock.now(),
  };
}

function checkPath(field: string, value: string): string {
  if (!path.test(value) || value.length > 1_024)
    throw invalid(field, `the ${field} must start with / and hold no spaces, queries or empty segments`, 'malformed');
  return value;
}
