/** `berth registries`: what teams sign in with to registries of images. */
import { systemActor } from '../../core/access/actor.ts';
import { BerthError } from '../../core/errors.ts';
import type { Registry } from '../../core/registries/registry.ts';
import { RegistryService } from '../../core/registries/registry-service.ts';
import { readPassword } from './read-password.ts';
import { type Column, table } from './table.ts';
import type { Call, Topic } from './topic.ts';

const columns: readonly Column<Registry>[] = [
  ['host', ({ host }) => host],
  ['username', ({ username }) => username],
  ['set', ({ createdAt }) => createdAt.toISOString()],
  ['id', ({ id }) => id],
];
const variable = 'BERTH_REGISTRY_PASSWORD';

const serviceOf = ({ install }: Call): RegistryService => new RegistryService(install.context);

function required(call: Call, name: string): string {
  const text = call.option(name);
  if (text === null) throw new BerthError('invalid', `--${name} is missing`, { field: name });
  return text;
}

export const registries: Topic = {
  verbs: {
    list: {
      about: 'Lists the registries that a team signs in to; passwords are never shown.',
      arguments: [],
      options: { team: { type: 'string' } },
      usage: '--team TEAM',
      async run(call) {
        const list = await serviceOf(call).list(systemActor, required(call, 'team'));
        return { text: table(columns, list, 'The team signs in to no registry.'), json: list };
      },
    },
    set: {
      about: `Sets what a team signs in with to a registry (docker.io for the Docker Hub); the password comes from standard input or ${variable}.`,
      arguments: ['HOST'],
      options: { team: { type: 'string' }, username: { type: 'string' } },
      usage: '--team TEAM --username USER',
      async run(call) {
        const team = required(call, 'team');
        const username = required(call, 'username');
        const password = await readPassword(variable, call.say);
        const input = { host: call.argument('HOST'), username, password };
        const registry = await serviceOf(call).set(systemActor, team, input);
        return { text: `${team} signs in to ${registry.host} as ${registry.username}.\n`, json: registry };
      },
    },
    remove: {
      about: 'Forgets what a team signs in with to a registry.',
      arguments: ['HOST'],
      options: { team: { type: 'string' } },
      usage: '--team TEAM',
      async run(call) {
        const team = required(call, 'team');
        const registry = await serviceOf(call).remove(systemActor, team, call.argument('HOST'));
        return { text: `${team} signs in to ${registry.host} no more.\n`, json: registry };
      },
    },
  },
};
