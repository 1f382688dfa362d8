import type { ProcessView } from '../../core/processes/process.ts';
import { DEFAULT_PORT } from './settings.ts';

export const portOf = (process: Pick<ProcessView, 'type' | 'ports'>): number | null =>
  process.type === 'web' ? (process.ports[0] ?? DEFAULT_PORT) : null;

/** As an app lists it, without the app. */
export const processShape = (process: ProcessView) => ({
  id: process.id,
  type: process.type,
  port: portOf(process),
  quantity: process.quantity,
  size: process.sizeName,
  command: process.command,
  created_at: process.createdAt.toISOString(),
  updated_at: process.updatedAt.toISOString(),
  healthcheck: process.type === 'web' ? process.healthPath : null,
});

export const formationShape = (process: ProcessView, app: { readonly name: string; readonly id: string }): unknown => ({
  app,
  ...processShape(process),
});
