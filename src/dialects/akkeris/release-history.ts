/**
 * An app's releases as this API has them: deploys and rollbacks only, numbered by position. A change of config makes a release in the
 * core; here it belongs to the deploy or rollback before it, whose fate it may decide while that one was still on its way.
 */
import type { Actor } from '../../core/access/actor.ts';
import type { Core } from '../../core/core.ts';
import type { Release } from '../../core/releases/release.ts';
import { allPages } from './pages.ts';

export interface HistoryEntry {
  /** The deploy or rollback. */
  readonly release: Release;
  readonly version: number;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly current: boolean;
  /** Its own id and those of the config releases after it. */
  readonly ids: ReadonlySet<string>;
}

/** Oldest first. */
export async function readHistory(core: Core, actor: Actor, app: string): Promise<readonly HistoryEntry[]> {
  return historyOf(await allPages((page) => core.releases.list(actor, app, ['deploy', 'rollback', 'config'], page)));
}

/** Takes all releases of an app, oldest first. */
export function historyOf(releases: readonly Release[]): readonly HistoryEntry[] {
  const groups: Release[][] = [];
  for (const release of releases) {
    const group = groups.at(-1);
    if (release.kind === 'config' && group !== undefined) group.push(release);
    else groups.push([release]);
  }
  const entries = groups.flatMap((group, index) => {
    const [release] = group;
    if (release === undefined) return [];
    return [
      { release, version: index + 1, status: statusOf(group), ids: new Set(group.map(({ id }) => id as string)) },
    ];
  });
  const current = entries.findLastIndex(({ status }) => status === 'succeeded');
  return entries.map((entry, index) => ({ ...entry, current: index === current }));
}

function statusOf(group: readonly Release[]): HistoryEntry['status'] {
  if (group.some(({ status }) => status === 'succeeded')) return 'succeeded';
  // Superseded by the next deploy, it never went live.
  return group.some(({ status }) => status === 'pending') ? 'pending' : 'failed';
}
