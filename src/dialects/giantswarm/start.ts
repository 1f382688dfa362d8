import type { Core } from '../../core/core.ts';
import { BerthError } from '../../core/errors.ts';
import type { AppTree } from './app-tree.ts';
import type { Call } from './call.ts';
import { wrongInput } from './errors.ts';

/** Runs work that looks up images; what is wrong with one, or with its registry, is said by where it stands in the definition. */
export async function namingImages<T>(tree: AppTree, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BerthError) || error.details.field !== 'image') throw error;
    const component = tree.definition?.components.find(({ type }) => type === error.details.noun);
    const message = component === undefined ? error.message : `${component.path}["image"]: ${error.message}`;
    throw error.kind === 'invalid' ? wrongInput(message) : new BerthError(error.kind, message, error.details);
  }
}

/** `types` null: the whole app. Throws 10013 for images that cannot be run. */
export async function startProcesses(
  core: Core,
  call: Call,
  tree: AppTree,
  types: readonly string[] | null,
): Promise<void> {
  await namingImages(tree, () => core.switches.start(call.actor, tree.app.id, types));
}
