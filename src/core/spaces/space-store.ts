import type { Id } from '../names.ts';
import type { Space } from './space.ts';

export interface SpaceStore {
  /** By id, or by name among those of the team (null: of no team). */
  find(reference: string, teamId: Id<'team'> | null): Promise<Space | null>;
  insert(space: Space): Promise<void>;
  update(id: Id<'space'>, change: Partial<Pick<Space, 'description' | 'compliance' | 'updatedAt'>>): Promise<void>;
  remove(id: Id<'space'>): Promise<void>;
  /** With the number of apps in each. Those of no team are visible to all. */
  list(teamIds: 'all' | readonly Id[]): Promise<readonly (Space & { readonly appCount: number })[]>;
}
