/** The machine's clock and randomness: what `core/ports/clock.ts` asks for. */
import { randomBytes, randomUUID } from 'node:crypto';

export const systemClock = {
  now: (): Date => new Date(),
  monotonicMs: (): number => performance.now(),
};

export const systemIds = {
  id: (): string => randomUUID(),
  token: (bytes: number): string => randomBytes(bytes).toString('hex'),
};
