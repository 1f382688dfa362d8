/** Attaching to a one-off that waits for it: what it is given before, its streams, and how it ended. */
import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import { conflict, invalid, notFound, unavailable } from '../errors.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Engine, ExecSession, InstanceExit, TerminalSize } from '../ports/engine.ts';
import type { HeldOneOff, HeldOneOffs } from './held-one-offs.ts';
import type { OneOff } from './one-off.ts';

const FILES_MAX = 16;
const fileName = /^(?!\.{1,2}$)[^/\p{Cc}]{1,255}$/u;

export interface Taken {
  start(terminal: TerminalSize): Promise<ExecSession>;
  /** The client has left before it began. */
  leave(): void;
}

export class AttachmentService {
  readonly #context: CoreContext;
  readonly #engine: Engine;
  readonly #held: HeldOneOffs;
  readonly #blobs: BlobStore | null;
  constructor(context: CoreContext, engine: Engine, held: HeldOneOffs, blobs: BlobStore | null) {
    this.#context = context;
    this.#engine = engine;
    this.#held = held;
    this.#blobs = blobs;
  }

  /** One that was begun through this server; another app's answers as not there. */
  async get(actor: Actor, id: string): Promise<OneOff> {
    return (await this.#find(actor, id)).oneOff;
  }

  /**
   * The one-off finds the file below `/tmp/uploads` when it starts. Throws conflict `one-off-begun`, conflict `no-uploads` where instances
   * have no file system of their own, and `too-large`.
   */
  async addFile(
    actor: Actor,
    id: string,
    name: string,
    bytes: AsyncIterable<Uint8Array>,
    maxBytes: number,
  ): Promise<void> {
    const held = await this.#find(actor, id);
    checkWaiting(held);
    if (!fileName.test(name)) throw invalid('file', 'the name of a file is a name without folders', 'malformed');
    if (held.files.size >= FILES_MAX && !held.files.has(name))
      throw conflict('too-many-files', `a one-off takes at most ${FILES_MAX} files`, 'file');
    const { isolation } = await this.#engine.describe();
    if (this.#blobs === null || !isolation.some(({ what, inForce }) => what === 'files' && inForce))
      throw conflict('no-uploads', 'this machine cannot keep the files of its containers apart', 'file');
    const blob = await this.#blobs.put(bytes, { maxBytes });
    const former = held.files.get(name);
    if (held.phase === 'waiting') held.files.set(name, blob.id);
    else await this.#blobs.remove(blob.id);
    if (former !== undefined) await this.#blobs.remove(former);
  }

  /** For the terminal that is attached, or will be. */
  async resize(actor: Actor, id: string, size: TerminalSize): Promise<void> {
    const held = await this.#find(actor, id);
    held.terminal = size;
    await held.resize?.(size);
  }

  /**
   * Takes it for this client, and nobody else can: gives the way to start it, in a terminal of the size told last or else of this one. Its
   * streams end with it. Throws conflict `one-off-begun`.
   */
  async take(actor: Actor, id: string): Promise<Taken> {
    const held = await this.#find(actor, id);
    checkWaiting(held);
    this.#held.begin(held);
    return {
      start: (terminal) => this.#begin(held, terminal),
      leave: () => this.#held.end(held, null),
    };
  }

  /** Resolves with how it ended, once it has; null when it never began. Rejects with the signal's reason. */
  async ended(actor: Actor, id: string, signal: AbortSignal): Promise<InstanceExit | null> {
    const { ended } = await this.#find(actor, id);
    signal.throwIfAborted();
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    return Promise.race([ended.promise, left.promise]).finally(() => signal.removeEventListener('abort', leave));
  }

  async #begin(held: HeldOneOff, terminal: TerminalSize): Promise<ExecSession> {
    try {
      const first = held.terminal ?? terminal;
      const session = await this.#start(held, first);
      held.resize = (size) => session.resize(size);
      session.exit.then(
        (exit) => this.#held.end(held, exit),
        () => this.#held.end(held, null),
      );
      // Told while it was being started. A size is no reason to fail.
      if (held.terminal !== undefined && held.terminal !== first) await session.resize(held.terminal).catch(() => {});
      return session;
    } catch (error) {
      this.#held.end(held, null);
      throw error;
    }
  }

  async #start(held: HeldOneOff, terminal: TerminalSize): Promise<ExecSession> {
    const uploads = await Promise.all(
      [...held.files].map(async ([name, blobId]) => {
        if (this.#blobs === null) throw unavailable('the uploaded files are not there any more');
        return { name, path: await this.#blobs.path(blobId) };
      }),
    );
    await this.#engine.start({ ...held.spec, stdin: true, terminal, ...(uploads.length === 0 ? {} : { uploads }) });
    return this.#engine.attach(held.oneOff.id);
  }

  async #find(actor: Actor, id: string): Promise<HeldOneOff> {
    const held = this.#held.find(id);
    if (held === undefined) throw notFound('instance');
    await fetchApp(this.#context.db, actor, held.oneOff.appId, 'app.run');
    return held;
  }
}

function checkWaiting({ phase }: HeldOneOff): void {
  if (phase === 'begun') throw conflict('one-off-begun', 'somebody has attached to it already', 'instance');
  if (phase === 'ended') throw conflict('one-off-begun', 'it has ended already', 'instance');
}
