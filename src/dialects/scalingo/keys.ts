import type { Key } from '../../core/keys/key.ts';
import { shortId } from '../../core/names.ts';
import { type Call, created, noContent, ok, param, type Route } from './call.ts';
import { needed, rootedOrBare } from './fields.ts';
import { byShownId } from './ids.ts';
import type { ScalingoParts } from './settings.ts';

/** Below the account, and where the host of accounts has them since it is one of its own. */
const paths = ['/v1/account/keys', '/v1/keys'] as const;

export function keyRoutes({ core }: ScalingoParts): readonly Route[] {
  const find = async (call: Call): Promise<Key> =>
    byShownId('key', await core.keys.list(call.actor), param(call, 'key'));

  async function add({ actor, body }: Call) {
    const fields = rootedOrBare(body, 'key');
    const key = await core.keys.add(actor, { name: needed(fields, 'name'), content: needed(fields, 'content') });
    return created({ key: keyShape(key) });
  }

  async function remove(call: Call) {
    await core.keys.remove(call.actor, (await find(call)).id);
    return noContent;
  }

  return paths.flatMap((path): Route[] => [
    {
      method: 'GET',
      path,
      access: 'signed-in',
      handle: async ({ actor }) => ok({ keys: (await core.keys.list(actor)).map(keyShape) }),
    },
    { method: 'POST', path, access: 'signed-in', handle: add },
    {
      method: 'GET',
      path: `${path}/:key`,
      access: 'signed-in',
      handle: async (call) => ok({ key: keyShape(await find(call)) }),
    },
    { method: 'DELETE', path: `${path}/:key`, access: 'signed-in', handle: remove },
  ]);
}

const keyShape = ({ id, name, content, fingerprint, createdAt }: Key) => ({
  id: shortId(id),
  name,
  content,
  fingerprint,
  created_at: createdAt.toISOString(),
});
