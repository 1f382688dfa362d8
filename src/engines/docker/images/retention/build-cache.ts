/** What BuildKit keeps of builds for the next ones. It is the daemon's: builds that others have it do share it. */
import type { DockerApi } from '../../api/docker-api.ts';
import { isStatus } from '../../api/docker-error.ts';
import { isAtLeast } from '../../api/version.ts';

const pruneMs = 300_000;
/** API 1.48 has a new word for the same; from 1.52 on the old one is not understood. */
const reservedSpaceSince = '1.48';

/** Deletes what was used least lately until `keepBytes` are left; 0: all that no build is using. Gives how many bytes are free by that. */
export async function pruneBuildCache(api: DockerApi, keepBytes: number): Promise<number> {
  const word = isAtLeast(await api.version(), reservedSpaceSince) ? 'reserved-space' : 'keep-storage';
  try {
    const query = { all: true, ...(keepBytes === 0 ? {} : { [word]: keepBytes }) };
    const { SpaceReclaimed = 0 } = await api.call<{ SpaceReclaimed?: number }>('POST', '/build/prune', {
      query,
      timeoutMs: pruneMs,
    });
    return SpaceReclaimed;
  } catch (error) {
    // A daemon without BuildKit keeps nothing.
    if (isStatus(error, 404, 501)) return 0;
    throw error;
  }
}
