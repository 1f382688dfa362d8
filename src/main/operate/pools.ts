/** `berth pools`: where apps run. */
import { systemActor } from '../../core/access/actor.ts';
import type { Pool } from '../../core/pools/pool.ts';
import { PoolService } from '../../core/pools/pool-service.ts';
import { type Column, table } from './table.ts';
import type { Call, Topic } from './topic.ts';

const columns: readonly Column<Pool>[] = [
  ['name', ({ name }) => name],
  ['engine', ({ engine }) => engine],
  ['default', ({ isDefault }) => (isDefault ? 'yes' : null)],
  ['id', ({ id }) => id],
];

const serviceOf = ({ install }: Call): PoolService => new PoolService(install.context);

export const pools: Topic = {
  verbs: {
    list: {
      about: 'Lists the pools.',
      arguments: [],
      options: {},
      usage: '',
      async run(call) {
        const list = await serviceOf(call).list(systemActor);
        return { text: table(columns, list, 'There are no pools.'), json: list };
      },
    },
    add: {
      about: 'Makes a pool; ENGINE is process (this machine) or docker (nodes).',
      arguments: ['NAME', 'ENGINE'],
      options: {},
      usage: '',
      async run(call) {
        const input = { name: call.argument('NAME'), engine: call.argument('ENGINE') };
        const pool = await serviceOf(call).create(systemActor, input);
        return { text: `Pool ${pool.name} was made.\n`, json: pool };
      },
    },
    remove: {
      about: 'Removes a pool that has no spaces, apps or nodes.',
      arguments: ['POOL'],
      options: {},
      usage: '',
      async run(call) {
        const pool = await serviceOf(call).remove(systemActor, call.argument('POOL'));
        return { text: `Pool ${pool.name} was removed.\n`, json: pool };
      },
    },
  },
};
