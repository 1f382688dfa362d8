/** What `GET config` shows: the definition with the tags of now, or one that says what an app made elsewhere is. */
import type { Actor } from '../../core/access/actor.ts';
import type { Core } from '../../core/core.ts';
import { imageReference } from '../../core/images/image-reference.ts';
import type { AppTree } from './app-tree.ts';
import type { JsonObject } from './definition/definition.ts';
import { withImageTags } from './definition/image-tags.ts';
import { synthesise } from './definition/synthesise.ts';

export async function shownDefinition(core: Core, actor: Actor, tree: AppTree): Promise<JsonObject> {
  const components = tree.services.flatMap((service) => service.components);
  if (tree.definition !== null) {
    const tags = components.flatMap(({ process, image }): [string, string][] => {
      const tag = process.image === null ? null : imageReference(image).tag;
      return tag === null ? [] : [[process.type, tag]];
    });
    return withImageTags(tree.definition, new Map(tags));
  }
  const domains = await core.domains.list(actor, tree.app.id);
  return synthesise({
    name: tree.name,
    processes: components.map(({ process, image }) => {
      const ports = process.ports.length === 0 && process.routed ? [DEFAULT_PORT] : process.ports;
      const own = domains.filter(({ processType }) =>
        (processType ?? null) === null ? process.routed : processType === process.type,
      );
      return {
        type: process.type,
        image,
        ports,
        domains: own.map(({ hostname, port }) => ({ hostname, port: port ?? ports[0] ?? DEFAULT_PORT })),
        quantity: process.quantity,
      };
    }),
  });
}

/** Stands for the port that the engine picks. */
const DEFAULT_PORT = 8080;
