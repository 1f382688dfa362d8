/** The Giant Swarm dialect as it is served, over a real core (see support/served.ts). */
import type { TestContext } from 'node:test';
import { giantSwarmDialect } from '../../../src/dialects/giantswarm/index.ts';
import type { GiantSwarmParts } from '../../../src/dialects/giantswarm/settings.ts';
import { type ServedCore, serveCore } from '../../support/served.ts';

export interface ServedSwarm extends Omit<ServedCore, 'parts' | 'listen'> {
  readonly url: string;
  readonly sharedUrl: string;
  readonly parts: GiantSwarmParts;
}

export async function serveGiantSwarm(t: Pick<TestContext, 'after'>): Promise<ServedSwarm> {
  const { listen, ...served } = await serveCore(t);
  const parts: GiantSwarmParts = {
    ...served.parts,
    settings: { defaultCluster: 'cluster.test', registryHost: 'registry.test' },
  };
  return { ...served, parts, ...(await listen(giantSwarmDialect(parts))) };
}
