/** Everything below an instance, and the streams of an organization's instances: what is answered, and what takes a connection over. */
import type { RawRoute, WebSocketRoute } from '../../../http/streaming/upgrades.ts';
import type { Route } from '../call.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { execRoutes, execUpgrades } from './exec.ts';
import { ExecSessions } from './exec-sessions.ts';
import { logRoutes } from './logs.ts';
import { statsRoutes } from './stats.ts';

/** Both halves of one dialect know the same execs. */
const shared = new WeakMap<GiantSwarmParts, ExecSessions>();
function execsOf(parts: GiantSwarmParts): ExecSessions {
  const known = shared.get(parts) ?? new ExecSessions();
  shared.set(parts, known);
  return known;
}

export const instanceRoutes = (parts: GiantSwarmParts): readonly Route[] => [
  ...logRoutes(parts),
  ...statsRoutes(parts),
  ...execRoutes(parts, execsOf(parts)),
];

export const instanceUpgrades = (parts: GiantSwarmParts): { webSockets: WebSocketRoute[]; raw: RawRoute[] } => ({
  webSockets: [],
  raw: [...execUpgrades(parts, execsOf(parts))],
});
