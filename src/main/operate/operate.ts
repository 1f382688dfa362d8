/**
 * The operator's commands: run on the platform's machine with its data folder and settings, beside the server that runs. They act as the
 * platform itself, and what they change is in its events as such.
 */
import { parseArgs } from 'node:util';
import { BerthError } from '../../core/errors.ts';
import type { Settings } from '../settings.ts';
import { type OpenInstall, openInstall } from './open-install.ts';
import type { Call, Topic, Verb } from './topic.ts';
import { topics } from './topics.ts';

/** Runs `berth <topic> …`; gives the exit code. Throws BerthError where the work is refused. */
export async function operateCommand(topicName: string, args: readonly string[], settings: Settings): Promise<number> {
  const topic = await topics[topicName]?.load();
  if (topic === undefined) throw new BerthError('invalid', `berth has no command ${topicName}`);
  const [verbName = '', ...rest] = args;
  const verb = Object.hasOwn(topic.verbs, verbName) ? topic.verbs[verbName] : undefined;
  if (verb === undefined) {
    process.stderr.write(usageOf(topicName, topic));
    return ['', 'help', '--help'].includes(verbName) ? 0 : 2;
  }
  const line = lineOf(topicName, verbName, verb);
  if (rest.includes('--help')) {
    process.stdout.write(`${verb.about}\n\nusage: ${line}\n`);
    return 0;
  }
  const parsed = parse(verb, rest, line);
  const abort = new AbortController();
  const interrupt = (): void =>
    abort.abort(new BerthError('cancelled', 'no longer waiting; what was asked for goes on'));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const install = await openInstall(settings);
  try {
    const { text, json } = await verb.run(callOf(parsed, install, abort.signal));
    process.stdout.write(parsed.flag('json') ? `${JSON.stringify(json, null, 2)}\n` : text);
    return 0;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await install.close();
  }
}

type Parsed = Pick<Call, 'argument' | 'option' | 'options' | 'flag'>;

const callOf = (parsed: Parsed, install: OpenInstall, signal: AbortSignal): Call => ({
  ...parsed,
  install,
  signal,
  say: (text) => void process.stderr.write(`${text}\n`),
});

function parse(verb: Verb, args: readonly string[], line: string): Parsed {
  const wrong = (words: string): BerthError => new BerthError('invalid', `${words}\nusage: ${line}`);
  const { values, positionals } = ((): ReturnType<typeof parseArgs> => {
    try {
      return parseArgs({
        args: [...args],
        options: { ...verb.options, json: { type: 'boolean' } },
        allowPositionals: true,
      });
    } catch (error) {
      throw wrong(error instanceof Error ? error.message : String(error));
    }
  })();
  const missing = verb.arguments[positionals.length];
  if (missing !== undefined) throw wrong(`${missing} is missing`);
  const [extra] = positionals.slice(verb.arguments.length);
  if (extra !== undefined)
    throw wrong(`nothing is expected after the arguments, but there is ${JSON.stringify(extra)}`);
  const given = new Map(verb.arguments.map((name, at) => [name, positionals[at] ?? '']));
  const texts = (name: string): readonly string[] =>
    [values[name] ?? []].flat().flatMap((value) => (typeof value === 'string' ? [value] : []));
  return {
    argument: (name) => given.get(name) ?? '',
    option: (name) => texts(name).at(-1) ?? null,
    options: texts,
    flag: (name) => values[name] === true,
  };
}

const lineOf = (topicName: string, verbName: string, verb: Verb): string =>
  ['berth', topicName, verbName, ...verb.arguments, verb.usage, '[--json]'].filter(Boolean).join(' ');

function usageOf(topicName: string, { verbs }: Topic): string {
  const lines = Object.entries(verbs).map(([name, verb]) => `  ${lineOf(topicName, name, verb)}\n      ${verb.about}`);
  return `usage:\n${lines.join('\n')}\n`;
}
