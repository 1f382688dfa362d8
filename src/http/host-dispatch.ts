/** Which dialect a request on the shared port is for. Pure. */

/** The host name of a `Host` header in lower case, without port and final dot; '' when there is none. */
export function hostName(header: string | undefined): string {
  const text = (header ?? '').trim().toLowerCase();
  const bare = text.startsWith('[') ? text.slice(0, text.indexOf(']') + 1) : (text.split(':')[0] ?? '');
  return bare.replace(/\.$/, '');
}

/** Finds by `<host label>.<base domain>`; undefined is the platform's own site. */
export function byHost<T extends { readonly hostLabel: string }>(
  entries: readonly T[],
  baseDomain: string,
): (header: string | undefined) => T | undefined {
  const known = new Map(entries.map((entry) => [`${entry.hostLabel}.${baseDomain}`.toLowerCase(), entry]));
  return (header) => known.get(hostName(header));
}
