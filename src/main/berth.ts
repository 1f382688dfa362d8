#!/usr/bin/env node
/** The program: `berth up | server | router | agent`, and the operator's commands. */
import { BerthError } from '../core/errors.ts';
import { isTopic, topicLines } from './operate/topics.ts';
import { readSettings } from './settings.ts';

const usage = `usage: berth <command> [--setting value …]

  up        the whole platform on this machine (--sample deploys the sample app)
  server    the APIs and the controllers
  router    the data path
  agent     the embedded engine's instances
  settings  every setting and its default

Beside a platform that runs, on its machine and with its settings (each says more with --help):

${topicLines()}

Settings come from flags (--port 7700), the environment (BERTH_PORT=7700) or a file (--config FILE), in that order.`;

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...args] = argv;
  const { settings, rest } = readSettings(args, process.env);
  if (command !== undefined && isTopic(command))
    return (await import('./operate/operate.ts')).operateCommand(command, rest, settings);
  const flags = new Set(rest);
  const supervised = flags.delete('--supervised');
  const sample = flags.delete('--sample');
  flags.delete('--no-sample');
  const [unknown] = flags;
  if (unknown !== undefined) throw new BerthError('invalid', `${unknown} is no setting; berth settings lists them all`);
  switch (command) {
    case 'up':
      return (await import('./up.ts')).upCommand(settings, sample);
    case 'server':
      await (await import('./server.ts')).serverCommand(settings, supervised);
      return 0;
    case 'router':
      await (await import('./router.ts')).routerCommand(settings, supervised);
      return 0;
    case 'agent':
      await (await import('./agent.ts')).agentCommand(settings, supervised);
      return 0;
    case 'warm':
      await (await import('./warm.ts')).warmCommand(process.env.NODE_COMPILE_CACHE);
      return 0;
    case 'settings':
      process.stdout.write((await import('./settings-table.ts')).settingsTable());
      return 0;
    default:
      process.stderr.write(`${usage}\n`);
      return command === undefined || command === 'help' || command === '--help' ? 0 : 2;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`berth: ${inWords(error)}\n`);
  // At once: what was opened before it failed must not keep a process that does nothing.
  process.exit(1);
}

function inWords(error: unknown): string {
  if (error instanceof BerthError) return error.message;
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is in use; stop what uses it, or choose another BERTH_PORT`;
  return error.stack ?? error.message;
}
