import type { ControlContext } from '../control-context.ts';

/**
 * Removes instances that no row names: what was left by a start whose row went. Rows are written before the engine is told, so the
 * engine is asked first: an instance without a row then has none for good.
 */
export async function removeStrays({ engine, db, logger }: ControlContext): Promise<void> {
  const running = (await engine.list()).filter((item) => item.kind === 'process');
  if (running.length === 0) return;
  const known = new Set((await db.instances.all()).map((row) => row.id as string));
  for (const stray of running.filter((item) => !known.has(item.id))) {
    logger.warn({ instance: stray.id, appId: stray.appId }, 'an instance that no row names is removed');
    await engine.remove(stray.id);
  }
}
