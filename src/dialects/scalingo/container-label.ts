import type { Instance } from '../../core/instances/instance.ts';

/** What this API calls a container: `web-1` is the first seat of `web`, whichever instance fills it now. */
export const containerLabel = ({ processType, ordinal }: Pick<Instance, 'processType' | 'ordinal'>): string =>
  `${processType}-${ordinal + 1}`;
