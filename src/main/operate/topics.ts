/** The operator's topics, by name. Each is loaded only when it is used. */
import type { Topic } from './topic.ts';

interface Entry {
  readonly about: string;
  load(): Promise<Topic>;
}

export const topics: Readonly<Record<string, Entry>> = {};

export const isTopic = (name: string): boolean => Object.hasOwn(topics, name);

/** As lines of the program's usage. */
export const topicLines = (): string =>
  Object.entries(topics)
    .map(([name, { about }]) => `  ${name.padEnd(10)}${about}`)
    .join('\n');
