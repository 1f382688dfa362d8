import type { Actor } from '../access/actor.ts';
import { BerthError, forbidden, invalid, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import type { Id } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Key } from './key.ts';
import { parsePublicKey } from './public-key.ts';

export interface AddKey {
  readonly name: string;
  /** One line of OpenSSH's public key format. */
  readonly content: string;
}

const NAME_MAX = 200;
const KEYS_MAX = 100;

/** The actor's own SSH keys. `Authenticator.byKey` lets somebody in by one. */
export class KeyService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** One's own, by name. Team tokens and the system have none. */
  async list(actor: Actor): Promise<readonly Key[]> {
    return actor.userId === null ? [] : this.#context.db.keys.listOfUser(actor.userId);
  }

  /** By id or name; another's answers as not there. */
  async get(actor: Actor, reference: string): Promise<Key> {
    const keys = await this.list(actor);
    const key = keys.find((item) => item.id === reference) ?? keys.find((item) => item.name === reference);
    if (key === undefined) throw notFound('key', reference);
    return key;
  }

  /** Throws conflict `key-exists` when anybody has the key or the actor the name; `invalid` as `parsePublicKey` does. */
  async add(actor: Actor, input: AddKey): Promise<Key> {
    const userId = owner(actor);
    const { type, blob, comment, fingerprint } = parsePublicKey(input.content);
    const key: Key = {
      id: this.#context.ids.id(),
      userId,
      name: checkName(input.name),
      type,
      content: [type, blob.toString('base64'), comment].filter((part) => part !== '').join(' '),
      fingerprint,
      createdAt: this.#context.clock.now(),
    };
    if ((await this.list(actor)).length >= KEYS_MAX)
      throw new BerthError('quota', `you have ${KEYS_MAX} keys; remove one that you do not use`, { code: 'keys' });
    await this.#context.db.transaction(async (stores) => {
      await stores.keys.insert(key);
      await record(this.#context, stores, actor, 'KeyAdded', {}, { key: key.name, fingerprint });
    });
    return key;
  }

  /** By id or name. Who signed in by it before is not thrown out; nobody signs in by it any more. */
  async remove(actor: Actor, reference: string): Promise<Key> {
    const key = await this.get(actor, reference);
    await this.#context.db.transaction(async (stores) => {
      await stores.keys.remove(key.id);
      await record(this.#context, stores, actor, 'KeyRemoved', {}, { key: key.name, fingerprint: key.fingerprint });
    });
    return key;
  }
}

function owner(actor: Actor): Id<'user'> {
  if (actor.userId === null) throw forbidden('only a user can have SSH keys', 'no-user');
  return actor.userId;
}

function checkName(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '') throw invalid('name', 'the key needs a name', 'missing');
  if (trimmed.length > NAME_MAX) throw invalid('name', `the name is longer than ${NAME_MAX} characters`, 'too-long');
  if (/\p{Cc}/u.test(trimmed)) throw invalid('name', 'the name must hold no control characters', 'malformed');
  return trimmed;
}
