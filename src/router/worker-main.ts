/**
 * The program that a worker process runs: wires a worker to its primary, and ends with it. Started without a channel to a primary it only loads
 * its modules, which fills the compile cache.
 */
import { Socket } from 'node:net';
import { systemClock, systemIds } from '../lib/clock.ts';
import { AccessLog } from './access-log.ts';
import { drain } from './drain.ts';
import { Worker } from './worker.ts';
import { accessLogFd, type FromWorker, httpFd, httpsFd, type ToWorker } from './worker-messages.ts';

const reportMs = 1_000;

const tell = (message: FromWorker): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
};
if (!process.connected) process.exit(0);
const accessLog = new AccessLog(new Socket({ fd: accessLogFd, readable: false, writable: true }), () =>
  systemClock.now().getTime(),
);
let worker: Worker | null = null;
let reported = '';

async function receive(message: ToWorker): Promise<void> {
  if (message.kind === 'init') {
    await begin(message);
    return;
  }
  if (worker === null) return;
  switch (message.kind) {
    case 'table':
      await worker.use(message.table);
      tell({ kind: 'applied', request: message.request });
      break;
    case 'drain': {
      const leftInFlight = await drain(worker.context.balancer, message.targetIds, message.timeoutMs);
      tell({ kind: 'drained', request: message.request, leftInFlight });
      break;
    }
    case 'counters':
      tell({ kind: 'counters', request: message.request, counters: worker.context.counters.snapshot() });
      break;
    case 'stop':
      await stop();
      break;
  }
}

async function begin(message: ToWorker & { kind: 'init' }): Promise<void> {
  const started = new Worker({
    limits: message.limits,
    trustedProxies: message.trustedProxies,
    clock: systemClock,
    ids: systemIds,
    accessLog,
    onBadCertificate: (hosts, error) =>
      tell({ kind: 'bad-certificate', hosts, reason: error instanceof Error ? error.message : String(error) }),
  });
  if (message.table !== null) await started.use(message.table);
  await started.listen(httpFd, false);
  if (message.secure) await started.listen(httpsFd, true);
  worker = started;
  setInterval(report, reportMs).unref();
  tell({ kind: 'ready' });
}

function report(): void {
  if (worker === null) return;
  const counters = worker.context.counters.snapshot();
  const text = JSON.stringify(counters);
  if (text === reported) return;
  reported = text;
  tell({ kind: 'report', counters });
}

async function stop(): Promise<void> {
  await worker?.stop();
  report();
  await accessLog.end();
  process.exit(0);
}

// Ctrl-C reaches the whole foreground group; the primary decides when its workers end.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => void stop());
// The primary is gone: free its ports at once for the next one, and finish what is in flight.
process.on('disconnect', () => void stop());
let queue = Promise.resolve();
process.on('message', (message: ToWorker) => {
  // A drain takes long and must hold up nothing; all else keeps its order.
  if (message.kind === 'drain') void queue.then(() => receive(message));
  else
    queue = queue
      .then(() => receive(message))
      .catch((error: unknown) => {
        tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
        process.exitCode = 1;
        process.disconnect?.();
      });
});
