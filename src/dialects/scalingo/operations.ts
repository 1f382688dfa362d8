import { shortId } from '../../core/names.ts';
import type { Operation, OperationStatus } from '../../core/operations/operation.ts';
import { type Call, ok, param, type Route } from './call.ts';
import { startOneOffOperation } from './run/start-operation.ts';
import type { ScalingoParts } from './settings.ts';

const statuses: Readonly<Record<OperationStatus, string>> = {
  queued: 'pending',
  running: 'running',
  succeeded: 'done',
  failed: 'error',
  cancelled: 'error',
};

export function operationShape(operation: Operation) {
  const { id, kind, status, error, createdAt, finishedAt } = operation;
  const failed = status === 'failed' || status === 'cancelled';
  return {
    id: shortId(id),
    app_id: operation.appId === null ? null : shortId(operation.appId),
    type: kind,
    status: statuses[status],
    created_at: createdAt.toISOString(),
    // Old clients cannot read a date that is null.
    ...(finishedAt === null ? {} : { finished_at: finishedAt.toISOString() }),
    ...(failed ? { error: error ?? 'the operation was cancelled' } : {}),
  };
}

export function operationRoutes(parts: ScalingoParts): readonly Route[] {
  async function get(call: Call) {
    try {
      return operationShape(await parts.core.operations.get(call.actor, param(call, 'app'), param(call, 'operation')));
    } catch (error) {
      const started = await startOneOffOperation(parts, call).catch(() => null);
      if (started !== null) return started;
      throw error;
    }
  }

  return [
    {
      method: 'GET',
      path: '/v1/apps/:app/operations/:operation',
      access: 'app.read.info',
      handle: async (call) => ok({ operation: await get(call) }),
    },
  ];
}
