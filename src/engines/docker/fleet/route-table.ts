/** Routes of this machine to a block of addresses, and to single ones of it, as the kernel keeps them. */
import { isIPv4 } from 'node:net';
import { run } from '../../../lib/exec.ts';
import { holds, parseSubnet, type Subnet } from '../network/subnets.ts';

export interface Route {
  /** An address of the block, or the block itself in CIDR form. */
  readonly to: string;
  /** The next machine on the way. */
  readonly via: string;
}

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const timeoutMs = 10_000;

export class RouteTable {
  readonly #text: string;
  readonly #block: Subnet;

  /** `block` in CIDR form; routes of other addresses are left alone. Throws for what is no block. */
  constructor(block: string) {
    this.#text = block;
    this.#block = parseSubnet(block);
  }

  /** Next machines by what they lead to. Rejects when the kernel cannot be asked. */
  async read(): Promise<Map<string, string>> {
    const argv = ['ip', '-4', 'route', 'show', 'root', this.#text];
    const { code, stdout, stderr } = await run(argv, { environment, timeoutMs });
    if (code !== 0) throw new Error(stderr.trim());
    const routes = stdout.split('\n').map((line) => /^(\S+) via (\S+)/.exec(line) ?? []);
    return new Map(
      routes.flatMap(([, to, via]) =>
        to !== undefined && via !== undefined && isIPv4(via) && this.#isOurs(to) ? [[to, via] as const] : [],
      ),
    );
  }

  /** Null, or the kernel's words for those that it refused; the others are set all the same. Rejects when the kernel cannot be asked. */
  async set(routes: readonly Route[]): Promise<string | null> {
    return this.#batch('replace', routes);
  }

  /** What is gone already is no error. */
  async remove(routes: readonly Route[]): Promise<void> {
    await this.#batch('del', routes);
  }

  async #batch(verb: 'replace' | 'del', routes: readonly Route[]): Promise<string | null> {
    const lines = routes.map(({ to, via }) => {
      // Whatever a node says of itself, it is no words for the kernel.
      if (!this.#isOurs(to) || !isIPv4(via)) throw new Error(`no route of ${this.#text}: ${to} via ${via}`);
      return `route ${verb} ${to} via ${via}\n`;
    });
    if (lines.length === 0) return null;
    const argv = ['ip', '-4', '-force', '-batch', '-'];
    const { code, stderr } = await run(argv, { environment, timeoutMs, input: lines.join('') });
    return code === 0 ? null : stderr.trim();
  }

  #isOurs(to: string): boolean {
    return to === this.#text || holds(this.#block, to);
  }
}
