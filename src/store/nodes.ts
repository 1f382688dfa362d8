import { type Kysely, sql } from 'kysely';
import { isId } from '../core/names.ts';
import type { NodeStore, NodeTls } from '../core/nodes/node.ts';
import { Secret, type SecretBox } from '../core/ports/secret.ts';
import { toRow } from './columns.ts';
import type { Schema } from './schema.ts';

const columns = [
  'nodes.id',
  'nodes.pool_id as poolId',
  'nodes.address',
  'nodes.is_home as isHome',
  'nodes.metadata',
  'nodes.cordoned',
  'nodes.draining',
  'nodes.removing',
  'nodes.state',
  'nodes.state_message as stateMessage',
  'nodes.state_since as stateSince',
  'nodes.lost',
  'nodes.created_at as createdAt',
  'pools.name as poolName',
] as const;

const contextOf = (id: string): string => `node/${id}`;

const seal = (tls: NodeTls, id: string, box: SecretBox): Uint8Array =>
  box.seal(new Secret(JSON.stringify({ ...tls, key: tls.key.reveal() })), contextOf(id));

function unseal(sealed: Uint8Array, id: string, box: SecretBox): NodeTls {
  const plain = JSON.parse(box.open(sealed, contextOf(id)).reveal()) as NodeTls & { readonly key: string };
  return { ca: plain.ca, certificate: plain.certificate, key: new Secret(plain.key) };
}

/** Nodes; their TLS material is sealed, and opened only for the engine. */
export function createNodeStore(db: Kysely<Schema>, box: SecretBox): NodeStore {
  const select = () =>
    db
      .selectFrom('nodes')
      .innerJoin('pools', 'pools.id', 'nodes.pool_id')
      .leftJoin(
        (other) =>
          other
            .selectFrom('instances')
            .select((of) => ['node_id', of.fn.countAll<number>().as('count')])
            .groupBy('node_id')
            .as('placed'),
        (join) => join.on(sql<boolean>`placed.node_id = nodes.id::text`),
      )
      .select(columns)
      .select([
        sql<boolean>`nodes.tls is not null`.as('hasTls'),
        sql<number>`coalesce(placed.count, 0)`.as('instances'),
        sql<boolean>`exists (select from operations where operations.subject_id = nodes.id
          and operations.kind = 'node-move' and operations.status in ('queued', 'running'))`.as('moving'),
      ])
      .orderBy('nodes.created_at')
      .orderBy('nodes.id');
  return {
    list: () => select().execute(),
    async find(reference) {
      const column = isId(reference) ? 'nodes.id' : 'nodes.address';
      return (await select().where(column, '=', reference).executeTakeFirst()) ?? null;
    },
    async findHome() {
      return (await select().where('nodes.is_home', '=', true).executeTakeFirst()) ?? null;
    },
    async tls() {
      const rows = await db.selectFrom('nodes').select(['id', 'tls']).where('tls', 'is not', null).execute();
      return new Map(rows.flatMap(({ id, tls }) => (tls === null ? [] : [[id, unseal(tls, id, box)]])));
    },
    async insert(node, tls) {
      await db
        .insertInto('nodes')
        .values({ ...toRow(node), tls: tls === null ? null : seal(tls, node.id, box) })
        .execute();
    },
    async update(id, change, tls) {
      const sealed = tls === undefined ? {} : { tls: seal(tls, id, box) };
      const { numUpdatedRows } = await db
        .updateTable('nodes')
        .set({ id, ...toRow(change), ...sealed })
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async remove(id) {
      const { numDeletedRows } = await db.deleteFrom('nodes').where('id', '=', id).executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}
