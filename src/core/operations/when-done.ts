import type { Operation, OperationStore } from './operation.ts';

const POLL_MS = 50;

/** The operation once it has ended, or as it is after `timeoutMs`; for clients that expect the outcome in the answer. */
export async function whenDone(
  operations: Pick<OperationStore, 'find'>,
  operation: Operation,
  timeoutMs: number,
): Promise<Operation> {
  for (const end = performance.now() + timeoutMs; ; ) {
    const found = (await operations.find(operation.id)) ?? operation;
    if (!['queued', 'running'].includes(found.status) || performance.now() >= end) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
