/** Between this API's names of apps, which are nearly free, and the core's, which are host labels. */
import { createHash } from 'node:crypto';

const MAX = 40;
const form = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/**
 * The core's name for an app: in lower case, what cannot be in a host name becomes `-`; a long one ends in a digest. Null for what names no
 * app. Two names may become one: then the second says that it exists.
 */
export function coreAppName(name: string): string | null {
  if (!form.test(name)) return null;
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '');
  if (label.length <= MAX) return label;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${label.slice(0, MAX - 9).replace(/-$/, '')}-${digest}`;
}
