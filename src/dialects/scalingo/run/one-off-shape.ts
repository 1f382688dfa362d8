import { shortId } from '../../../core/names.ts';
import type { OneOff } from '../../../core/one-offs/one-off.ts';
import type { sizeShape } from '../sizes.ts';

export const oneOffLabel = ({ number }: Pick<OneOff, 'number'>): string => `one-off-${number}`;

const states: Readonly<Record<OneOff['state'], string>> = {
  waiting: 'booting',
  starting: 'booting',
  running: 'running',
  stopping: 'stopping',
  exited: 'stopped',
};

/** As `ps` lists it among the containers. */
export const oneOffShape = (oneOff: OneOff, size: ReturnType<typeof sizeShape> | undefined) => ({
  id: shortId(oneOff.id),
  app_id: shortId(oneOff.appId),
  type: 'one-off',
  type_index: oneOff.number,
  label: oneOffLabel(oneOff),
  created_at: oneOff.createdAt.toISOString(),
  deleted_at: null,
  state: states[oneOff.state],
  command: oneOff.command ?? '',
  container_size: size ?? null,
});
