import { type Actor, can } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { conflict, notFound } from '../errors.ts';
import { record } from '../events/record.ts';
import { type Id, spaceName } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Space } from './space.ts';

export type SpaceWithCount = Space & { readonly appCount: number };

/** Spaces of no team are open to every signed-in user; a team's own only to those who may read it. */
export class SpaceService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** Throws conflict `space-exists`. A space of no team needs `space.create` globally or membership of any team. */
  async create(
    actor: Actor,
    input: {
      name: string;
      teamId: Id<'team'> | null;
      description?: string;
      compliance?: readonly string[];
      poolId?: Id<'pool'>;
    },
  ): Promise<Space> {
    if (input.teamId !== null || actor.teamIds.length === 0) demand(actor, 'space.create', { teamId: input.teamId });
    const pool =
      input.poolId === undefined
        ? await this.#context.db.pools.findDefault()
        : await this.#context.db.pools.find(input.poolId);
    if (pool === null) throw notFound('pool', input.poolId);
    const now = this.#context.clock.now();
    const space: Space = {
      id: this.#context.ids.id(),
      name: spaceName(input.name),
      teamId: input.teamId,
      poolId: pool.id,
      description: input.description ?? '',
      compliance: input.compliance ?? [],
      createdAt: now,
      updatedAt: now,
    };
    await this.#context.db.transaction(async (stores) => {
      await stores.spaces.insert(space);
      await record(
        this.#context,
        stores,
        actor,
        'SpaceCreated',
        { spaceId: space.id, ...(space.teamId === null ? {} : { teamId: space.teamId }) },
        { space: space.name },
      );
    });
    return space;
  }

  async get(actor: Actor, reference: string, teamId: Id<'team'> | null = null): Promise<Space> {
    const space = await this.#context.db.spaces.find(reference, teamId);
    if (space === null || (space.teamId !== null && !can(actor, 'space.read', { teamId: space.teamId })))
      throw notFound('space', reference);
    return space;
  }

  async list(actor: Actor): Promise<readonly SpaceWithCount[]> {
    return this.#context.db.spaces.list(can(actor, 'space.read') ? 'all' : actor.teamIds);
  }

  /** Only an empty one. */
  async remove(actor: Actor, reference: string, teamId: Id<'team'> | null = null): Promise<Space> {
    const space = await this.get(actor, reference, teamId);
    demand(actor, 'space.delete', { teamId: space.teamId });
    const page = await this.#context.db.apps.list('all', { spaceId: space.id }, { limit: 1 });
    if (page.items.length > 0) throw conflict('space-has-apps', 'the space still has apps; delete them first', 'space');
    await this.#context.db.transaction(async (stores) => {
      await stores.spaces.remove(space.id);
      await record(this.#context, stores, actor, 'SpaceRemoved', { spaceId: space.id }, { space: space.name });
    });
    return space;
  }
}
