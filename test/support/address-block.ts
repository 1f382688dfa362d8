/**
 * Blocks of IPv4 addresses that no other test of this machine has at the time. A claim is a route in a table that no rule leads to: adding one
 * that is there fails, whoever asks.
 */
import { randomInt } from 'node:crypto';
import { run } from '../../src/lib/exec.ts';
import { attempt, systemEnvironment } from './system-command.ts';

const table = '7700';
const tries = 100;

export interface AddressBlock {
  /** In CIDR form, and its first numbers up to the border of `bits` in whole ones: `10.1.2` for 24 bits. */
  readonly text: string;
  readonly prefix: string;
  release(): Promise<void>;
}

/** One of `10.<from>.0.0` up to, but without, `10.<to>.0.0`. `bits`: 17 to 24. */
export async function claimBlock(from: number, to: number, bits: number): Promise<AddressBlock> {
  const step = 2 ** (24 - bits);
  for (let count = 0; count < tries; count += 1) {
    const prefix = `10.${randomInt(from, to)}.${randomInt(0, 256 / step) * step}`;
    const text = `${prefix}.0/${bits}`;
    if (await isElsewhere(prefix)) continue;
    const words = ['unreachable', text, 'table', table];
    const { code } = await run(['ip', 'route', 'add', ...words], { environment: systemEnvironment, timeoutMs: 10_000 });
    if (code === 0) return { text, prefix, release: () => attempt('ip', 'route', 'delete', ...words) };
  }
  throw new Error('no block of addresses is free');
}

/** Something that is no test of these has it. */
async function isElsewhere(prefix: string): Promise<boolean> {
  const routes = await run(['ip', '-o', '-4', 'route', 'show'], { environment: systemEnvironment, timeoutMs: 10_000 });
  return routes.stdout.includes(`${prefix}.`);
}
