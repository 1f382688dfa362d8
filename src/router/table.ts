/**
 * The routing table made fast to ask: which backend answers for a host and path. Pure; a new table gives a new index, and requests that
 * already chose keep what they chose.
 */
import type { Route, RouteBackend, RoutingTable } from '../core/ports/router.ts';

export interface RouteIndex {
  readonly version: number;
  readonly backends: ReadonlyMap<string, RouteBackend>;
  /** Host to its routes, longest prefix first. */
  readonly exact: ReadonlyMap<string, readonly Route[]>;
  /** `example.com` for `*.example.com`. */
  readonly wildcard: ReadonlyMap<string, readonly Route[]>;
}

export interface RouteMatch {
  readonly route: Route;
  readonly backend: RouteBackend;
}

/** The index of a table. Routes to backends that the table does not hold are left out. */
export function indexTable(table: RoutingTable): RouteIndex {
  const backends = new Map(table.backends.map((backend) => [backend.id, backend]));
  const exact = new Map<string, Route[]>();
  const wildcard = new Map<string, Route[]>();
  for (const route of table.routes) {
    if (!backends.has(route.backend)) continue;
    const normal = { ...route, pathPrefix: normalPrefix(route.pathPrefix) };
    const [map, key] = route.host.startsWith('*.') ? [wildcard, route.host.slice(2)] : [exact, route.host];
    const list = map.get(key);
    if (list === undefined) map.set(key, [normal]);
    else list.push(normal);
  }
  for (const map of [exact, wildcard])
    for (const list of map.values()) list.sort((a, b) => b.pathPrefix.length - a.pathPrefix.length);
  return { version: table.version, backends, exact, wildcard };
}

/**
 * The route for a host (lower case, without port) and path (without query), or null. The exact host goes before wildcards, a longer
 * wildcard before a shorter; within a host the longest prefix of whole segments wins.
 */
export function match(index: RouteIndex, host: string, path: string): RouteMatch | null {
  const found = matchPath(index, index.exact.get(host), path);
  if (found !== null || index.wildcard.size === 0) return found;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    if (dot === 0) continue;
    const hit = matchPath(index, index.wildcard.get(host.slice(dot + 1)), path);
    if (hit !== null) return hit;
  }
  return null;
}

/** The path and query that the instance sees: the prefix replaced where the route says so. */
export function rewriteTarget(route: Route, target: string): string {
  if (route.replacePrefix === null) return target;
  const base = normalPrefix(route.replacePrefix);
  const rest = route.pathPrefix === '/' ? target : target.slice(route.pathPrefix.length);
  const kept = base === '/' ? '' : base;
  if (rest === '' || rest.startsWith('?')) return (kept === '' ? '/' : kept) + rest;
  return kept + rest;
}

function matchPath(index: RouteIndex, routes: readonly Route[] | undefined, path: string): RouteMatch | null {
  if (routes === undefined) return null;
  for (const route of routes) {
    if (!coversPath(route.pathPrefix, path)) continue;
    const backend = index.backends.get(route.backend);
    if (backend !== undefined) return { route, backend };
  }
  return null;
}

function coversPath(prefix: string, path: string): boolean {
  if (prefix === '/') return true;
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 47);
}

/** One leading slash, none at the end. */
function normalPrefix(prefix: string): string {
  const trimmed = prefix.replace(/\/+$/, '');
  if (trimmed === '') return '/';
  return trimmed.startsWith('/') ? trimmed : `/${trimmed}`;
}
