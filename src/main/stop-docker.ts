/** The end of what runs in containers, when `berth up` stops: the agent ends its own, containers would run on. */
import { nodeSpec } from '../core/nodes/node.ts';
import type { NodeSpec } from '../core/ports/engine.ts';
import { connectDatabase } from './database.ts';
import { usesDocker } from './docker-settings.ts';
import { openDockerEngine } from './engine.ts';
import type { ProcessParts } from './process-parts.ts';
import { secretBox } from './secret-key.ts';

/** On all nodes; while the database still runs. What cannot be reached is left, and said. */
export async function stopDockerInstances(parts: ProcessParts): Promise<void> {
  if (!usesDocker(parts.settings)) return;
  const engine = await openDockerEngine(parts, { carriesOutput: true });
  try {
    await engine.useNodes(await dockerNodes(parts));
    await engine.close({ everything: true });
  } catch (error) {
    parts.logger.warn({ error }, 'containers are left, because a Docker daemon or the database does not answer');
    await engine.close();
  }
}

async function dockerNodes({ settings, folder, logger }: ProcessParts): Promise<readonly NodeSpec[]> {
  const db = await connectDatabase(settings, await secretBox(settings, folder), logger);
  try {
    const pools = await db.pools.list();
    const own = new Set(pools.filter(({ engine }) => engine === 'docker').map(({ id }) => id as string));
    const [nodes, tls] = [await db.nodes.list(), await db.nodes.tls()];
    return nodes.filter(({ poolId }) => own.has(poolId)).map((node) => nodeSpec(node, tls.get(node.id) ?? null));
  } finally {
    await db.close();
  }
}
