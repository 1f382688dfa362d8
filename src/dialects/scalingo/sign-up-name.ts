import { systemActor } from '../../core/access/actor.ts';
import type { Core } from '../../core/core.ts';
import { BerthError } from '../../core/errors.ts';

const TRIES = 50;

/** The part of an address before the @, with a number after it when somebody has that name. Throws nothing: a bad address is refused later. */
export async function freeUsername(core: Core, email: string): Promise<string> {
  const plain =
    email
      .split('@')[0]
      ?.toLowerCase()
      .replaceAll(/[^a-z0-9_.+-]/g, '-')
      .replace(/^[^a-z0-9_]+/, '') || 'user';
  for (let number = 1; number < TRIES; number += 1) {
    const name = number === 1 ? plain : `${plain}-${number}`;
    if (!(await exists(core, name))) return name;
  }
  return plain;
}

async function exists(core: Core, name: string): Promise<boolean> {
  try {
    await core.users.get(systemActor, name);
    return true;
  } catch (error) {
    if (error instanceof BerthError && error.kind === 'not-found') return false;
    throw error;
  }
}
