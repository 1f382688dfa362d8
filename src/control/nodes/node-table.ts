/**
 * Tells this server's engine which machines it has. Every replica does, before anything else asks the engine: an engine that does not know a
 * node does not list what runs there, and what is not listed counts as lost.
 */
import { createHash } from 'node:crypto';
import { type NodeView, nodeSpec } from '../../core/nodes/node.ts';
import type { NodeSpec } from '../../core/ports/engine.ts';
import type { ControlContext } from '../control-context.ts';
import { ensureHomeNode } from './home-node.ts';

const AGAIN_MS = 1_000;

type TableContext = Pick<ControlContext, 'db' | 'clock' | 'ids' | 'box' | 'logger' | 'engine' | 'homeNode'>;

export class NodeTable {
  readonly #context: TableContext;
  /** Of what the engine was told last; null when that is not known. */
  #digest: string | null = null;
  #isTold = false;
  #stopped = false;
  #running: Promise<readonly NodeView[]> | null = null;
  #queued: Promise<readonly NodeView[]> | null = null;
  #retry: NodeJS.Timeout | null = null;

  constructor(context: TableContext) {
    this.#context = context;
  }

  /** Whether the engine was told at least once: before that nothing may be concluded from what it lists. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** Resolves with the rows that the engine works by now, read after this call. Calls that overlap share one reading. */
  apply(): Promise<readonly NodeView[]> {
    if (this.#running === null) {
      this.#running = this.#tell().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    this.#queued ??= this.#running
      .catch(() => [])
      .then(() => {
        this.#queued = null;
        return this.apply();
      });
    return this.#queued;
  }

  /** Applies it, and goes on trying in the background until it holds. Resolves after the first try; never rejects. */
  async ensure(): Promise<void> {
    this.#forgetRetry();
    try {
      await this.apply();
    } catch (error) {
      if (this.#stopped) return;
      this.#context.logger.warn({ err: error }, 'the engine could not be told its nodes yet; it is tried again');
      this.#forgetRetry();
      this.#retry = setTimeout(() => void this.ensure(), AGAIN_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#forgetRetry();
  }

  #forgetRetry(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
  }

  async #tell(): Promise<readonly NodeView[]> {
    const { db, engine } = this.#context;
    await ensureHomeNode(this.#context);
    const nodes = await db.nodes.list();
    const tls = nodes.some((node) => node.hasTls) ? await db.nodes.tls() : new Map<string, never>();
    const specs = nodes.map((node) => nodeSpec(node, tls.get(node.id) ?? null));
    const digest = digestOf(specs);
    if (digest !== this.#digest) {
      this.#digest = null;
      await engine.useNodes(specs);
      this.#digest = digest;
    }
    this.#isTold = true;
    return nodes;
  }
}

const digestOf = (specs: readonly NodeSpec[]): string =>
  createHash('sha256')
    .update(JSON.stringify(specs.map(({ tls, ...rest }) => [rest, tls?.ca, tls?.certificate, tls?.key.reveal()])))
    .digest('hex');
