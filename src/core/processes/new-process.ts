/** How a process comes to be: the rules of its fields, and its row. */
import { invalid } from '../errors.ts';
import { configName, type Id, processType } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Stores } from '../ports/database.ts';
import { Secret } from '../ports/secret.ts';
import type { Size } from '../sizes/size.ts';
import type { Process } from './process.ts';

/** The most instances that one process may have. */
export const QUANTITY_MAX = 32;

export interface ProcessChange {
  readonly quantity?: number;
  /** Name or id. */
  readonly size?: string;
  /** Null: back to what the artifact says. */
  readonly command?: string | null;
  readonly ports?: readonly number[];
  readonly healthPath?: string | null;
}
export interface CreateProcess
  extends ProcessChange,
    Partial<Pick<Process, 'image' | 'entrypoint' | 'arguments' | 'pod' | 'mounts' | 'links' | 'routed'>> {
  readonly type: string;
  /** Variables of this process alone; they win over the app's config. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Throws invalid, naming the field. */
export function checkProcessChange(change: ProcessChange): void {
  const { quantity, ports, healthPath, command } = change;
  if (quantity !== undefined && (!Number.isInteger(quantity) || quantity < 0 || quantity > QUANTITY_MAX)) {
    throw invalid('quantity', `the number of instances must be between 0 and ${QUANTITY_MAX}`, 'out-of-range');
  }
  if (ports?.some((port) => !Number.isInteger(port) || port < 1 || port > 65535))
    throw invalid('port', 'the port must be between 1 and 65535', 'out-of-range');
  if (healthPath != null && (!/^\/[^\s#]*$/.test(healthPath) || healthPath.length > 1024))
    throw invalid('healthcheck', 'the health check must be a path that starts with /', 'malformed');
  if (command != null && (command.includes('\0') || command.length > 16_384))
    throw invalid('command', 'the command is not valid', 'malformed');
}

/** By name or id; none named: the default one. Throws invalid `unknown-size`. */
export async function findSize(stores: Stores, reference: string | undefined): Promise<Size> {
  const size = reference === undefined ? await stores.sizes.findDefault() : await stores.sizes.find(reference);
  if (size === null) throw invalid('size', `the size ${JSON.stringify(reference)} is not known`, 'unknown-size');
  return size;
}

/** Writes the process and its variables; part of the caller's transaction. Throws conflict `process-exists`. */
export async function insertProcess(
  { clock, ids }: CoreContext,
  stores: Stores,
  appId: Id<'app'>,
  input: CreateProcess,
): Promise<Process> {
  checkProcessChange(input);
  const size = await findSize(stores, input.size);
  const now = clock.now();
  const type = processType(input.type);
  const process: Process = {
    id: ids.id(),
    appId,
    type,
    command: input.command ?? null,
    image: input.image ?? null,
    entrypoint: input.entrypoint ?? null,
    arguments: input.arguments ?? null,
    quantity: input.quantity ?? 1,
    stopped: false,
    sizeId: size.id,
    ports: input.ports ?? [],
    routed: input.routed ?? type === 'web',
    pod: input.pod ?? null,
    mounts: input.mounts ?? [],
    links: input.links ?? [],
    healthPath: input.healthPath ?? null,
    restartGeneration: 0,
    createdAt: now,
    updatedAt: now,
  };
  await stores.processes.insert(process);
  await stores.config.set(
    Object.entries(input.environment ?? {}).map(([name, value]) => ({
      source: 'process',
      ownerId: process.id,
      name: configName(name, name),
      value: new Secret(value),
      description: '',
      required: false,
      updatedAt: now,
    })),
  );
  return process;
}
