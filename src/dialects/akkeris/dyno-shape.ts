/** An instance as this API shows it: its name, and its state from what really runs. */
import { createHash } from 'node:crypto';
import type { InstanceView } from '../../core/instances/instance-service.ts';
import type { ProcessView } from '../../core/processes/process.ts';
import { derivedId } from './derived-id.ts';
import type { HistoryEntry } from './release-history.ts';

export type DynoState =
  | 'start-failure'
  | 'app-crashed'
  | 'waiting'
  | 'pending'
  | 'probe-failure'
  | 'stopping'
  | 'stopped'
  | 'starting'
  | 'running';

/** Ten digits, a dash, five letters or digits, e.g. `2281474389-1cu1o`; always the same for one instance. */
export function dynoName(instanceId: string): string {
  const digest = createHash('sha256').update(instanceId).digest();
  const digits = String(digest.readUIntBE(0, 6) % 10 ** 10).padStart(10, '0');
  const letters = (digest.readUIntBE(6, 6) % 36 ** 5).toString(36).padStart(5, '0');
  return `${digits}-${letters}`;
}

export function dynoState({ state, actual, failureCode }: InstanceView): DynoState {
  if (state === 'draining') return actual === null || actual.state === 'exited' ? 'stopped' : 'stopping';
  if (state === 'crashed' || actual?.state === 'exited') {
    if (failureCode === 'start-failure' || actual?.exit?.startError != null) return 'start-failure';
    return failureCode === 'H20' || failureCode === 'probe-failure' ? 'probe-failure' : 'app-crashed';
  }
  if (actual === null) return 'waiting';
  if (actual.state === 'stopping') return 'stopping';
  if (state === 'ready') return actual.state === 'running' ? 'running' : 'pending';
  return actual.state === 'running' ? 'starting' : 'pending';
}

export function dynoShape(
  instance: InstanceView,
  about: {
    readonly app: { readonly id: string; readonly key: string };
    readonly history: readonly HistoryEntry[];
    readonly processes: readonly ProcessView[];
  },
) {
  const { app, history, processes } = about;
  const entry = history.find(({ ids }) => ids.has(instance.releaseId));
  const process = processes.find(({ type }) => type === instance.processType);
  const name = dynoName(instance.id);
  const state = dynoState(instance);
  return {
    attach_url: '',
    command: process?.command ?? entry?.release.commands[instance.processType] ?? null,
    created_at: instance.createdAt.toISOString(),
    id: derivedId(`${app.key}-${name}`),
    name,
    release: { id: entry?.release.id ?? instance.releaseId, version: entry?.version ?? 0 },
    app: { name: app.key, id: app.id },
    size: process?.sizeName ?? '',
    state,
    ready: state === 'running',
    restarts: instance.restarts,
    type: instance.processType,
    additional_info: instance.failureMessage ?? '',
    updated_at: instance.updatedAt.toISOString(),
  };
}
