/** What takes a connection over: WebSockets of logs and deployments, and the raw streams of one-off containers. Each checks its caller. */
import { knownFailure } from '../../http/failure.ts';
import { type RawRoute, Upgrades, type WebSocketRoute } from '../../http/streaming/upgrades.ts';
import { deploymentStream } from './deployments/stream.ts';
import { rendering } from './errors.ts';
import { logStream } from './logs/log-stream.ts';
import { attachUpgrade } from './run/attach.ts';
import type { Attachments } from './run/attachments.ts';
import type { ScalingoParts } from './settings.ts';

const webSockets = (parts: ScalingoParts): readonly WebSocketRoute[] => [deploymentStream(parts), logStream(parts)];
const raw = (parts: ScalingoParts, attachments: Attachments): readonly RawRoute[] => [
  attachUpgrade(parts, attachments),
];

export const scalingoUpgrades = (parts: ScalingoParts, attachments: Attachments): Upgrades =>
  new Upgrades({
    logger: parts.logger,
    webSockets: webSockets(parts),
    raw: raw(parts, attachments),
    statusOf: (error) => rendering(knownFailure(error), error, parts.settings.billingUrl).status,
  });
