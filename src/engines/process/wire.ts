/** What travels over the agent's socket: the ports' types as JSON, secrets in clear because the socket is the owner's alone (0600). */
import { BerthError, type ErrorDetails, type ErrorKind } from '../../core/errors.ts';
import type { EngineInstance, ExecSpec, InstanceExit, InstanceSpec, InstanceStats } from '../../core/ports/engine.ts';
import type { JobExit, JobSpec } from '../../core/ports/sandbox.ts';
import { type Environment, Secret } from '../../core/ports/secret.ts';
import type { StoredExit, UnitState } from './unit-state.ts';

export type PlainEnvironment = Readonly<Record<string, string>>;
/** A value with an environment in it, on its way through JSON. */
export type Plain<T extends { readonly environment?: Environment }> = Omit<T, 'environment'> & {
  readonly environment: PlainEnvironment;
};
export type PlainInstanceSpec = Plain<InstanceSpec>;
export type PlainJobSpec = Plain<JobSpec>;
export type PlainExecSpec = Plain<ExecSpec>;

export function revealEnvironment(environment: Environment | undefined): PlainEnvironment {
  return Object.fromEntries(Object.entries(environment ?? {}).map(([name, secret]) => [name, secret.reveal()]));
}

export function hideEnvironment(environment: PlainEnvironment): Environment {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, new Secret(value)]));
}

/** JSON has no dates: `startedAt` and `exit.at` are ISO texts on the wire. */
export interface WireInstance extends Omit<EngineInstance, 'startedAt' | 'exit'> {
  readonly startedAt: string | null;
  readonly exit: StoredExit | null;
}

export function toWire(state: UnitState, phase: EngineInstance['state'], nodeId: string): WireInstance {
  return {
    id: state.id,
    kind: state.kind === 'one-off' ? 'one-off' : 'process',
    appId: state.appId,
    processType: state.processType,
    generation: state.generation,
    nodeId,
    state: phase,
    address: phase === 'starting' ? null : state.address,
    pid: phase === 'exited' ? null : (state.process?.pid ?? null),
    startedAt: state.startedAt,
    exit: state.exit,
  };
}

export function instanceFromWire(wire: WireInstance): EngineInstance {
  return {
    ...wire,
    startedAt: wire.startedAt === null ? null : new Date(wire.startedAt),
    exit: wire.exit === null ? null : exitFromWire(wire.exit),
  };
}

export function exitFromWire(exit: StoredExit): InstanceExit {
  const { code, signal, outOfMemory, timedOut, startError, at } = exit;
  return { code, signal, outOfMemory, timedOut, startError, at: new Date(at) };
}

export function jobExitFromWire(exit: StoredExit): JobExit {
  return { ...exitFromWire(exit), diskExceeded: exit.diskExceeded, outputExceeded: exit.outputExceeded };
}

export type WireStats = Omit<InstanceStats, 'at'> & { readonly at: string };

export interface WireError {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly details: Pick<ErrorDetails, 'field' | 'code' | 'noun'>;
}

export function errorToWire(error: unknown): WireError {
  if (!(error instanceof BerthError)) {
    return { kind: 'unavailable', message: 'the engine failed on this request', details: {} };
  }
  const { field, code, noun } = error.details;
  const details = {
    ...(field === undefined ? {} : { field }),
    ...(code === undefined ? {} : { code }),
    ...(noun === undefined ? {} : { noun }),
  };
  return { kind: error.kind, message: error.message, details };
}

export const errorFromWire = (error: WireError): BerthError => new BerthError(error.kind, error.message, error.details);
