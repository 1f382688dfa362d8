/**
 * Networks made ahead of need: all that is left to do at a start is to give one its name and switch it on. Begun only after somebody
 * needed one, so a machine whose apps need none has none.
 */
import { existsSync } from 'node:fs';
import { run } from '../../../lib/exec.ts';
import { helperEnvironment } from '../settings.ts';
import { ip, namespacePath, removeNetwork, setHostEnd } from './ip.ts';
import { ownNamespace, stockName } from './names.ts';
import type { NetworkBook, OwnEntry } from './network-book.ts';

const stockSize = 6;

export class NetworkStock {
  readonly #book: NetworkBook;
  readonly #prefix: string;
  readonly #making = new Set<number>();
  #filling: Promise<void> | null = null;
  #closed = false;

  constructor(book: NetworkBook, prefix: string) {
    this.#book = book;
    this.#prefix = prefix;
  }

  /** Gives a network of the stock to this key, or a new one. It is down, under its stock name and without a route to it. */
  async take(key: string, spaceId: string): Promise<OwnEntry> {
    for (const place of this.#book.stock('ready')) {
      if (existsSync(namespacePath(ownNamespace(this.#prefix, place)))) return this.#book.setOwn(key, spaceId, place);
      this.#book.dropStock(place);
    }
    const place = this.#book.beginStock();
    return this.#during(place, async () => {
      await this.rebuild(place, []);
      return this.#book.setOwn(key, spaceId, place);
    });
  }

  /** Makes what is missing, in the background. A failure only means that the next start makes its own. */
  refill(): void {
    if (this.#closed) return;
    this.#filling ??= this.#fill()
      .catch(() => {})
      .finally(() => {
        this.#filling = null;
      });
  }

  /** Takes away what a killed agent left half made. */
  async prune(): Promise<void> {
    for (const place of this.#book.stock('making')) if (!this.#making.has(place)) await this.#remove(place);
  }

  /** Makes no more; resolves when nothing is half made. */
  async stop(): Promise<void> {
    this.#closed = true;
    await this.#filling;
  }

  async clear(): Promise<void> {
    for (const state of ['making', 'ready'] as const) {
      for (const place of this.#book.stock(state)) await this.#remove(place);
    }
  }

  /** Makes the network of a place anew, whatever there is of it. The host's end is left down, under its stock name. */
  async rebuild(place: number, interfaces: readonly string[]): Promise<void> {
    const namespace = ownNamespace(this.#prefix, place);
    const name = stockName(this.#prefix, place);
    await removeNetwork([name, ...interfaces], namespace);
    const gateway = this.#book.ownGateway;
    await ip(
      ['-batch', '-'],
      [
        `netns add ${namespace}`,
        `link add ${name} type veth peer name eth0 netns ${namespace}`,
        `addr add ${gateway}/32 dev ${name}`,
      ],
    );
    setHostEnd(name);
    await Promise.all([
      ip(
        ['-n', namespace, '-batch', '-'],
        [
          'link set lo up',
          `addr add ${this.#book.address(place)}/32 dev eth0`,
          'link set eth0 up',
          `route add ${gateway} dev eth0`,
          `route add default via ${gateway} dev eth0`,
        ],
      ),
      allowLowPorts(namespace),
    ]);
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#book.stock('ready').length < stockSize) {
      const place = this.#book.beginStock();
      await this.#during(place, async () => {
        await this.rebuild(place, []);
        this.#book.readyStock(place);
      });
    }
  }

  async #during<T>(place: number, work: () => Promise<T>): Promise<T> {
    this.#making.add(place);
    try {
      return await work();
    } finally {
      this.#making.delete(place);
    }
  }

  async #remove(place: number): Promise<void> {
    await removeNetwork([stockName(this.#prefix, place)], ownNamespace(this.#prefix, place));
    this.#book.dropStock(place);
  }
}

/** Apps are unprivileged, and port 80 of a network that they have to themselves is theirs. */
async function allowLowPorts(namespace: string): Promise<void> {
  const argv = ['nsenter', `--net=${namespacePath(namespace)}`, '--', 'tee'];
  const setting = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  const result = await run([...argv, setting], { environment: helperEnvironment, timeoutMs: 10_000, input: '0' });
  if (result.code !== 0) throw new Error(`ports below 1024 cannot be opened: ${result.stderr.trim()}`);
}
