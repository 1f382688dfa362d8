/** What the platform itself says in the log of a build that is released by itself, so that one log tells the whole deployment. */
import { buildLogStream } from '../builds/build-service.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogStore } from '../ports/log-store.ts';

export interface DeploymentLogParts {
  readonly logs: Pick<LogStore, 'append'>;
  readonly clock: Clock;
}

/** Each text is a line, or several with newlines between them. Rejects when the log cannot be written. */
export async function sayInDeployment(
  { logs, clock }: DeploymentLogParts,
  buildId: string,
  ...texts: readonly string[]
): Promise<void> {
  const at = clock.now();
  const lines = texts.flatMap((text) => text.split('\n'));
  await logs.append(
    buildLogStream(buildId),
    lines.map((text) => ({ at, source: 'build', process: '', instance: '', seat: '', text })),
  );
}

export const stepLine = (text: string): string => `-----> ${text}`;
export const detailLine = (text: string): string => `       ${text}`;
/** In the look of classic buildpacks, each line of the text marked. */
export const refusalLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => ` !     ${line}`)
    .join('\n');
