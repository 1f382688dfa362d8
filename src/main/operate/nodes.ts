/** `berth nodes`: the machines of pools. */
import { systemActor } from '../../core/access/actor.ts';
import { BerthError } from '../../core/errors.ts';
import { MoveService } from '../../core/nodes/move-service.ts';
import type { NodeTls, NodeView } from '../../core/nodes/node.ts';
import { NodeService } from '../../core/nodes/node-service.ts';
import type { Operation } from '../../core/operations/operation.ts';
import { Secret } from '../../core/ports/secret.ts';
import { readTlsFolder } from '../tls-folder.ts';
import { type Column, table } from './table.ts';
import type { Answer, Call, Topic, Verb } from './topic.ts';
import { patienceOf, settled, waitOptions, waitUsage } from './wait.ts';

const columns: readonly Column<NodeView>[] = [
  ['address', ({ address }) => address],
  ['pool', ({ poolName }) => poolName],
  ['state', ({ state }) => state],
  ['wanted', wantedOf],
  ['instances', ({ instances }) => instances],
  ['metadata', ({ metadata }) => pairs(metadata)],
  ['message', ({ stateMessage }) => stateMessage],
  ['id', ({ id }) => id],
];

function wantedOf(node: NodeView): string {
  if (node.removing) return 'removed';
  if (node.draining) return 'drained';
  return [node.cordoned ? 'cordoned' : '', node.moving ? 'moving' : ''].filter(Boolean).join(', ');
}

const pairs = (metadata: Readonly<Record<string, string>>): string =>
  Object.entries(metadata)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

const nodesOf = ({ install }: Call): NodeService => new NodeService(install.context);
const movesOf = ({ install }: Call): MoveService => new MoveService(install.context);

/** Without the option: what the engine's own settings say, so that of BERTH_DOCKER_TLS. */
function tlsOf(call: Call): { readonly tls?: NodeTls } {
  const folder = call.option('tls');
  if (folder === null) return {};
  const { key, ...rest } = readTlsFolder(folder, '--tls');
  return { tls: { ...rest, key: new Secret(key) } };
}

const poolOf = (call: Call): { readonly pool?: string } => optional('pool', call.option('pool'));
const appOf = (call: Call): { readonly app?: string } => optional('app', call.option('app'));

const optional = <N extends string>(name: N, value: string | null): { readonly [K in N]?: string } =>
  (value === null ? {} : { [name]: value }) as { readonly [K in N]?: string };

function metadataOf(call: Call): Record<string, string> {
  return Object.fromEntries(
    call.options('metadata').map((text) => {
      const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name === '') throw new BerthError('invalid', '--metadata is NAME=VALUE', { field: 'metadata' });
      return [name, value];
    }),
  );
}

/** What an operation came to, beside the node that it is about. */
const outcome = (operation: Operation, done: string, asked: string): Answer => ({
  text: `${operation.status === 'succeeded' ? done : asked}\n`,
  json: operation,
});

const add: Verb = {
  about: 'Adds a machine with Docker: tcp://host:port with TLS, or unix:///path.',
  arguments: ['ADDRESS'],
  options: {
    pool: { type: 'string' },
    tls: { type: 'string' },
    metadata: { type: 'string', multiple: true },
    ...waitOptions,
  },
  usage: `[--pool POOL] [--tls FOLDER] [--metadata NAME=VALUE]… ${waitUsage}`,
  async run(call) {
    const input = { address: call.argument('ADDRESS'), ...poolOf(call), ...tlsOf(call), metadata: metadataOf(call) };
    const patience = patienceOf(call);
    const { node, operation } = await nodesOf(call).add(systemActor, input);
    const ended = await settled(call, movesOf(call), patience, operation);
    const asked = `Node ${node.address} was added to pool ${node.poolName} and joins; berth nodes list shows how far it is.`;
    const { text } = outcome(ended, `Node ${node.address} is ready in pool ${node.poolName}.`, asked);
    return { text, json: { node: await nodesOf(call).get(systemActor, node.id), operation: ended } };
  },
};

const update: Verb = {
  about: 'Changes the metadata, the pool or the TLS material of a node; NODE is its address or id.',
  arguments: ['NODE'],
  options: {
    pool: { type: 'string' },
    tls: { type: 'string' },
    metadata: { type: 'string', multiple: true },
    unset: { type: 'string', multiple: true },
  },
  usage: '[--pool POOL] [--tls FOLDER] [--metadata NAME=VALUE]… [--unset NAME]…',
  async run(call) {
    const unset = Object.fromEntries(call.options('unset').map((name) => [name, null]));
    const metadata = { ...metadataOf(call), ...unset };
    const change = { ...poolOf(call), ...tlsOf(call), ...(Object.keys(metadata).length === 0 ? {} : { metadata }) };
    const node = await nodesOf(call).update(systemActor, call.argument('NODE'), change);
    return { text: `Node ${node.address} was changed.\n`, json: node };
  },
};

const remove: Verb = {
  about:
    'Drains a node, carries its volumes off and lets it leave; --force does not wait, and gives the volumes there up.',
  arguments: ['NODE'],
  options: { force: { type: 'boolean' }, ...waitOptions },
  usage: `[--force] ${waitUsage}`,
  async run(call) {
    const node = call.argument('NODE');
    const patience = patienceOf(call);
    const operation = await nodesOf(call).remove(systemActor, node, { force: call.flag('force') });
    const ended = await settled(call, movesOf(call), patience, operation);
    return outcome(ended, `Node ${node} was removed.`, `Node ${node} is removed when nothing runs there any more.`);
  },
};

const drain: Verb = {
  about: 'Moves everything off a node and keeps it empty until uncordon.',
  arguments: ['NODE'],
  options: waitOptions,
  usage: waitUsage,
  async run(call) {
    const node = call.argument('NODE');
    const ended = await settled(call, movesOf(call), patienceOf(call), await nodesOf(call).drain(systemActor, node));
    return outcome(ended, `Node ${node} is drained.`, `Node ${node} is being drained.`);
  },
};

const rebalance: Verb = {
  about: 'Evens out what the nodes of a pool carry, or the instances of one app, with the fewest moves.',
  arguments: [],
  options: { pool: { type: 'string' }, app: { type: 'string' }, ...waitOptions },
  usage: `[--pool POOL | --app APP] ${waitUsage}`,
  async run(call) {
    const patience = patienceOf(call);
    const { operation, moved } = await movesOf(call).rebalance(systemActor, { ...poolOf(call), ...appOf(call) });
    const ended = await settled(call, movesOf(call), patience, operation);
    const text = `${moved} ${moved === 1 ? 'instance' : 'instances'}`;
    const done = moved === 0 ? 'The nodes are even.' : `${text} moved.`;
    return { ...outcome(ended, done, moved === 0 ? done : `${text} to move.`), json: { operation: ended, moved } };
  },
};

const move: Verb = {
  about: 'Moves instances off a node, all or those of one app; nothing new is started there meanwhile.',
  arguments: ['NODE'],
  options: { app: { type: 'string' }, ...waitOptions },
  usage: `[--app APP] ${waitUsage}`,
  async run(call) {
    const node = call.argument('NODE');
    const ended = await settled(
      call,
      movesOf(call),
      patienceOf(call),
      await movesOf(call).moveInstances(systemActor, node, appOf(call)),
    );
    return outcome(ended, `Nothing of it is on node ${node} any more.`, `Instances are being moved off node ${node}.`);
  },
};

/** `cordon` and `uncordon`. */
const mark = (verb: 'cordon' | 'uncordon', about: string, done: string): Verb => ({
  about,
  arguments: ['NODE'],
  options: {},
  usage: '',
  async run(call) {
    const node = await nodesOf(call)[verb](systemActor, call.argument('NODE'));
    return { text: `Node ${node.address} ${done}.\n`, json: node };
  },
});

export const nodes: Topic = {
  verbs: {
    list: {
      about: 'Lists the nodes, of all pools or of one.',
      arguments: [],
      options: { pool: { type: 'string' } },
      usage: '[--pool POOL]',
      async run(call) {
        const list = await nodesOf(call).list(systemActor, poolOf(call));
        return { text: table(columns, list, 'There are no nodes.'), json: list };
      },
    },
    add,
    update,
    cordon: mark('cordon', 'Starts nothing new on a node; what runs stays.', 'takes nothing new'),
    uncordon: mark('uncordon', 'Lets a node take instances again; ends a drain or removal.', 'takes instances again'),
    drain,
    remove,
    rebalance,
    move,
  },
};
