/** The core's name for a component. It depends on nothing but service and component, so that a URL's two names lead to it. */
import { createHash } from 'node:crypto';

const maxLength = 64;
const maxServiceLength = 31;
const digestLength = 10;
const safe = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/**
 * `service/component` as it is, where that is a process type. Else (a `.`, the `/` of a deeper tree, more than 64 characters) a readable
 * form of it that ends in a digest of both names: not reversible, but the same every time; `parseDefinition` refuses two that are equal.
 */
export function processTypeOf(service: string, component: string): string {
  const plain = `${service}/${component}`;
  if (plain.length <= maxLength && safe.test(service) && safe.test(component)) return plain;
  const digest = createHash('sha256')
    .update(JSON.stringify([service, component]))
    .digest('hex')
    .slice(0, digestLength);
  const first = readable(service).slice(0, maxServiceLength);
  const rest = readable(component).slice(0, maxLength - first.length - digestLength - 2);
  return `${first}/${rest}-${digest}`;
}

const readable = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]/g, '-').replace(/^-/, '_');
