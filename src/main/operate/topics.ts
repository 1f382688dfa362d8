/** The operator's topics, by name. Each is loaded only when it is used. */
import type { Topic } from './topic.ts';

interface Entry {
  readonly about: string;
  load(): Promise<Topic>;
}

export const topics: Readonly<Record<string, Entry>> = {
  nodes: {
    about: 'the machines that pools of the docker engine run on',
    load: async () => (await import('./nodes.ts')).nodes,
  },
  pools: {
    about: 'the engines and machines that spaces run on',
    load: async () => (await import('./pools.ts')).pools,
  },
  spaces: {
    about: 'what apps live in; each belongs to a pool',
    load: async () => (await import('./spaces.ts')).spaces,
  },
  registries: {
    about: 'what teams sign in with to registries of images',
    load: async () => (await import('./registries.ts')).registries,
  },
};

export const isTopic = (name: string): boolean => Object.hasOwn(topics, name);

/** As lines of the program's usage. */
export const topicLines = (): string =>
  Object.entries(topics)
    .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`)
    .join('\n');
