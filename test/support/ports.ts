/**
 * Ports that no other test of this machine takes at the time, though each is free until its user listens. A claim is an abstract socket named
 * after the number: it lasts as long as the process that tests, and one of them alone can have it.
 */
import { createServer } from 'node:net';

/** The kernel takes outgoing ports from 32_768 on, the engines those of apps below 30_000. */
const first = 30_000;
const count = 2_700;
const tries = 1_000;

/** One port of loopback. */
export async function claimPort(): Promise<number> {
  return claimPorts(() => first + Math.floor(Math.random() * count), [0]);
}

/** A base of one of `choose`'s numbers, where each of the base's `offsets` is free on every address. */
export async function claimPorts(choose: () => number, offsets: readonly number[]): Promise<number> {
  for (let tried = 0; tried < tries; tried += 1) {
    const base = choose();
    if (!(await claim(base))) continue;
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no port is free');
}

function claim(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(`\0berth-test-port-${port}`, () => resolve(true));
    server.unref();
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
