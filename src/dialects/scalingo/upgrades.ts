/** What takes a connection over: WebSockets of logs and deployments, and the raw streams of one-off containers. Each checks its caller. */
import { knownFailure } from '../../http/failure.ts';
import { type RawRoute, Upgrades, type WebSocketRoute } from '../../http/streaming/upgrades.ts';
import { deploymentStream } from './deployments/stream.ts';
import { rendering } from './errors.ts';
import type { ScalingoParts } from './settings.ts';

const webSockets = (parts: ScalingoParts): readonly WebSocketRoute[] => [deploymentStream(parts)];
const raw = (_parts: ScalingoParts): readonly RawRoute[] => [];

export const scalingoUpgrades = (parts: ScalingoParts): Upgrades =>
  new Upgrades({
    logger: parts.logger,
    webSockets: webSockets(parts),
    raw: raw(parts),
    statusOf: (error) => rendering(knownFailure(error), error, parts.settings.billingUrl).status,
  });
