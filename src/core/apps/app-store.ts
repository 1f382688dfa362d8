import type { Visibility } from '../access/actor.ts';
import type { Id } from '../names.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import type { ProcessView } from '../processes/process.ts';
import type { App, AppView } from './app.ts';
import type { AppActivity } from './app-activity.ts';

export interface AppFilter {
  readonly spaceId?: Id<'space'>;
  readonly teamId?: Id<'team'>;
  readonly nameContains?: string;
}

export interface AppStore {
  /** By id (short ones too), by handle, or as `<name>-<space>` (so that `foo-default` finds what has handle `foo`). Not those being deleted. */
  find(reference: string): Promise<AppView | null>;
  /** As `find`, with the app's processes by type; one statement. */
  findWithProcesses(
    reference: string,
  ): Promise<{ readonly app: AppView; readonly processes: readonly ProcessView[] } | null>;
  findByName(spaceId: Id<'space'>, name: string): Promise<AppView | null>;
  /** Also those being deleted. */
  findAny(id: Id<'app'>): Promise<App | null>;
  /** Which of these handles apps have, those being deleted too. */
  handlesTaken(handles: readonly string[]): Promise<ReadonlySet<string>>;
  /** Locks the row for the rest of the transaction. */
  lock(id: Id<'app'>): Promise<App | null>;
  /** Throws conflict `app-exists` when the handle or the name in the space is taken. */
  insert(app: App): Promise<void>;
  update(id: Id<'app'>, change: Partial<Omit<App, 'id' | 'createdAt' | 'createdBy'>>): Promise<void>;
  /** Removes the row and all that hangs on it. */
  purge(id: Id<'app'>): Promise<void>;
  /** By name, then id; one indexed query. */
  list(visible: Visibility, filter: AppFilter, page: PageRequest): Promise<Page<AppView>>;
  /** Every app the reconciler has to look at, those being deleted too. */
  allIds(): Promise<readonly Id<'app'>[]>;
  count(teamId: Id<'team'>): Promise<number>;
  /** One statement, whatever their number. */
  activity(ids: readonly Id<'app'>[]): Promise<readonly AppActivity[]>;
}
