/**
 * Which version of the Engine API to speak with a daemon. Pure. Where the versions between differ in what Berth says or reads:
 *
 * - 1.42 gives a new terminal its size with the call that makes it (sessions.ts, container-body.ts); before, it is resized after.
 * - 1.43 has no `<none>` for images without a name (images/retention/found-images.ts).
 * - 1.44 always refuses a second network of a name, which older ones do for `CheckDuplicate` only; it refuses wrong addresses of a network
 *   with 400; and of an image there is `Size` only, no `VirtualSize`, which Berth never read.
 * - 1.48 says in `errorDetail` why long work failed (progress.ts), and calls `keep-storage` of the build cache `reserved-space`
 *   (images/retention/build-cache.ts).
 * - 1.50 gives no more of an image's `Config` than is the image's own; nothing else of it is read.
 *
 * Docker 29 may keep images in containerd's store: the id of an image is then the digest of its manifest. To Berth ids are words without
 * meaning.
 */
import { unavailable } from '../../../core/errors.ts';

/** Debian 12's Docker 20.10. */
export const oldestVersion = '1.41';
/** The newest that Berth was written against; newer daemons go on serving it. */
export const newestVersion = '1.51';

/** Throws `unavailable`, saying what would help, for a daemon that is too old or has stopped serving every version that Berth speaks. */
export function agreeOnVersion(daemon: {
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
}): string {
  const { Version = 'of unknown version', ApiVersion = '0.0', MinAPIVersion = '0.0' } = daemon;
  if (compare(ApiVersion, oldestVersion) < 0) {
    throw unavailable(
      `Docker ${Version} speaks API ${ApiVersion}, and Berth needs ${oldestVersion} or newer: upgrade it to 20.10 or later`,
    );
  }
  if (compare(MinAPIVersion, newestVersion) > 0) {
    throw unavailable(
      `Docker ${Version} speaks no API older than ${MinAPIVersion}, and Berth none newer than ${newestVersion}: upgrade Berth`,
    );
  }
  return compare(ApiVersion, newestVersion) > 0 ? newestVersion : ApiVersion;
}

/** Whether a version is this one or newer. */
export const isAtLeast = (version: string, wanted: string): boolean => compare(version, wanted) >= 0;

function compare(one: string, other: string): number {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}
