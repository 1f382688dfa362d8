/** What goes into an app's log of one of its instances. Pure. */
import type { LogLine } from '../../core/ports/log-store.ts';
import type { Identity } from './identity.ts';

export const streamOf = ({ appId }: Identity): string => `apps/${appId}`;

/** A line that the instance printed. */
export const printedLine = ({ id, processType, seat }: Identity, at: Date, text: string): LogLine => ({
  ...{ at, text, seat },
  source: 'app',
  process: processType,
  instance: id,
});

/** A line that the platform says about it. */
export const platformLine = (identity: Identity, at: Date, text: string): LogLine => ({
  ...printedLine(identity, at, text),
  source: 'platform',
});
