/** What the engine must know of an instance for as long as its container is there: kept as a label of it. It holds no environment, so no secret. */
import type { EngineInstance, InstanceSpec } from '../../core/ports/engine.ts';
import { chosenPort } from './settings.ts';

export interface Identity {
  readonly id: string;
  readonly kind: EngineInstance['kind'];
  readonly appId: string;
  readonly spaceId: string;
  readonly processType: string;
  readonly generation: string;
  readonly seat: string;
  /** Its first port, which is `$PORT`; null: none. */
  readonly port: number | null;
  /** Shares its network with the others of this pod; null: has it all to itself. */
  readonly podKey: string | null;
  readonly memoryBytes: number;
  readonly graceMs: number;
  /** ISO time after which a one-off is ended. */
  readonly deadline: string | null;
  /** Its streams go to whoever attaches, not to the log. */
  readonly interactive: boolean;
  readonly terminal: boolean;
  /** Made from an artifact, so there is a shell in it. */
  readonly own: boolean;
  readonly volumes: readonly string[];
  /** Where the targets of its links are reached, by `target`. */
  readonly places: Readonly<Record<string, string>>;
  /** It never ran: why. */
  readonly startError: string | null;
}

export function identityOf(
  spec: InstanceSpec,
  now: Date,
  own: boolean,
  places: Identity['places'],
  startError: string | null = null,
): Identity {
  return {
    id: spec.id,
    kind: spec.kind,
    appId: spec.appId,
    spaceId: spec.spaceId,
    processType: spec.processType,
    generation: spec.generation,
    seat: spec.seat ?? '',
    port: spec.ports === 'any' ? chosenPort : (spec.ports[0] ?? null),
    podKey: podKeyOf(spec),
    memoryBytes: spec.limits.memoryBytes,
    graceMs: spec.graceMs,
    deadline: spec.timeoutMs === undefined ? null : new Date(now.getTime() + spec.timeoutMs).toISOString(),
    interactive: spec.kind === 'one-off' && (spec.stdin === true || spec.terminal !== undefined),
    terminal: spec.terminal !== undefined,
    own,
    volumes: spec.mounts?.map(({ volumeId }) => volumeId) ?? [],
    places,
    startError,
  };
}

export const podKeyOf = ({ pod, spaceId }: Pick<InstanceSpec, 'pod' | 'spaceId'>): string | null =>
  pod === undefined || pod === null ? null : `${spaceId} ${pod}`;

/** Null for what this version of Berth did not write. */
export function readIdentity(label: string | undefined): Identity | null {
  if (label === undefined) return null;
  try {
    const read = JSON.parse(label) as Identity;
    return typeof read.id === 'string' ? read : null;
  } catch {
    return null;
  }
}
