import type { LogLine } from '../../core/ports/log-store.ts';
import { dynoName } from './dyno-shape.ts';

const sources: Readonly<Record<LogLine['source'], string>> = {
  app: 'app',
  router: 'akkeris/router',
  build: 'akkeris/build',
  platform: 'akkeris/event',
  event: 'akkeris/event',
};

/** `<time> <app key> <source>: <text>`, as clients take it apart again. */
export function logLine(line: LogLine, key: string): string {
  const source =
    line.source === 'app' && line.process !== ''
      ? `app[${line.process}${line.instance === '' ? '' : `.${dynoName(line.instance)}`}]`
      : sources[line.source];
  return `${line.at.toISOString()} ${key} ${source}: ${line.source === 'router' ? withDynoNames(line.text) : line.text}\n`;
}

/** The router knows instances by their ids. */
const withDynoNames = (text: string): string =>
  text.replace(/(?<= dyno=[\w/-]+\.)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?= )/, dynoName);
