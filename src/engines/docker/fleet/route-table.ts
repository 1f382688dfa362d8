/** Routes of this machine to single addresses of a block, as the kernel keeps them. */
import { run } from '../../../lib/exec.ts';

export interface Route {
  readonly host: string;
  /** The next machine on the way. */
  readonly via: string;
}

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const timeoutMs = 10_000;

export class RouteTable {
  readonly #block: string;

  /** `block` in CIDR form; routes of other addresses are left alone, and so is that of the block itself. */
  constructor(block: string) {
    this.#block = block;
  }

  /** By host. Rejects when the kernel cannot be asked. */
  async read(): Promise<Map<string, string>> {
    const { code, stdout, stderr } = await run(['ip', '-4', 'route', 'show', 'root', this.#block], {
      environment,
      timeoutMs,
    });
    if (code !== 0) throw new Error(stderr.trim());
    return new Map(
      stdout.split('\n').flatMap((line) => {
        const [, host, via] = /^(\d+\.\d+\.\d+\.\d+) via (\S+)/.exec(line) ?? [];
        return host === undefined || via === undefined ? [] : [[host, via] as const];
      }),
    );
  }

  /** Sets the first, takes the others away; what is gone already is no error. Rejects with the kernel's words, and the rest is done all the same. */
  async change(set: readonly Route[], unset: readonly Route[]): Promise<void> {
    await this.#batch(unset.map(({ host, via }) => `route del ${host}/32 via ${via}`)).catch(() => {});
    await this.#batch(set.map(({ host, via }) => `route replace ${host}/32 via ${via}`));
  }

  async #batch(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const options = { environment, timeoutMs, input: `${lines.join('\n')}\n` };
    const { code, stderr } = await run(['ip', '-4', '-force', '-batch', '-'], options);
    if (code !== 0) throw new Error(stderr.trim());
  }
}
