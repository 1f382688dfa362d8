/** An app's container types: those that are set up, and those that what is released has a command for. */

import type { Actor } from '../../core/access/actor.ts';
import type { AppView } from '../../core/apps/app.ts';
import type { Core } from '../../core/core.ts';
import { commandLine } from '../../core/instances/generation.ts';
import { shortId } from '../../core/names.ts';
import type { ProcessView } from '../../core/processes/process.ts';
import type { Release } from '../../core/releases/release.ts';
import { derivedId } from './ids.ts';
import { DEFAULT_SIZE, shownSize } from './sizes.ts';

export interface ContainerType {
  readonly id: string;
  readonly app_id: string;
  readonly name: string;
  readonly amount: number;
  readonly command: string;
  readonly size: string;
}

/** Run once with a deployment, and never scaled. */
const HOOK = 'postdeploy';

export async function formationOf(core: Core, actor: Actor, app: AppView): Promise<readonly ContainerType[]> {
  const [processes, release] = await Promise.all([core.processes.listOf([app]), core.releases.target(actor, app.id)]);
  const known = new Set<string>(processes.map(({ type }) => type));
  const others = Object.entries(release?.commands ?? {}).filter(([type]) => !known.has(type) && type !== HOOK);
  return [
    ...processes.map((process) => ofProcess(app, process, release)),
    ...others.map(([name, command]) => ({
      id: derivedId('container type', app.id, name),
      app_id: shortId(app.id),
      name,
      amount: 0,
      command,
      size: DEFAULT_SIZE,
    })),
  ].sort(webFirst);
}

const ofProcess = (app: AppView, process: ProcessView, release: Release | null): ContainerType => ({
  id: shortId(process.id),
  app_id: shortId(app.id),
  name: process.type,
  amount: process.quantity,
  command: commandOf(process, release),
  size: shownSize({ memoryBytes: process.memoryBytes, name: process.sizeName }),
});

export function commandOf(process: Pick<ProcessView, 'type' | 'command'>, release: Release | null): string {
  const released = release?.processes[process.type]?.command;
  const own = released === undefined ? undefined : commandLine(released);
  return process.command ?? own ?? release?.commands[process.type] ?? '';
}

function webFirst(a: ContainerType, b: ContainerType): number {
  if (a.name === b.name) return 0;
  if (a.name === 'web' || b.name === 'web') return a.name === 'web' ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
