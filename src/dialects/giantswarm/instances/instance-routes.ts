/** Everything below an instance, and the streams of an organization's instances: what is answered, and what takes a connection over. */
import type { RawRoute, WebSocketRoute } from '../../../http/streaming/upgrades.ts';
import type { Route } from '../call.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { execRoutes, execUpgrades } from './exec.ts';
import { ExecSessions } from './exec-sessions.ts';
import { logRoutes } from './logs.ts';
import { statsRoutes } from './stats.ts';
import { StreamTokens } from './stream-tokens.ts';
import { streamRoutes, streamSockets } from './streams.ts';

interface Shared {
  readonly execs: ExecSessions;
  readonly tokens: StreamTokens;
}

/** Both halves of one dialect know the same execs and tokens. */
const shared = new WeakMap<GiantSwarmParts, Shared>();
function sharedBy(parts: GiantSwarmParts): Shared {
  const known = shared.get(parts) ?? { execs: new ExecSessions(), tokens: new StreamTokens(parts) };
  shared.set(parts, known);
  return known;
}

export const instanceRoutes = (parts: GiantSwarmParts): readonly Route[] => [
  ...logRoutes(parts),
  ...statsRoutes(parts),
  ...execRoutes(parts, sharedBy(parts).execs),
  ...streamRoutes(parts, sharedBy(parts).tokens),
];

export const instanceUpgrades = (parts: GiantSwarmParts): { webSockets: WebSocketRoute[]; raw: RawRoute[] } => ({
  webSockets: [...streamSockets(parts, sharedBy(parts).tokens)],
  raw: [...execUpgrades(parts, sharedBy(parts).execs)],
});
