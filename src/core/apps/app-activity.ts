import type { Id } from '../names.ts';
import type { OperationKind } from '../operations/operation.ts';
import type { Release } from '../releases/release.ts';

/** What happens with an app now, as far as a list of apps shows it. */
export interface AppActivity {
  readonly appId: Id<'app'>;
  /** Instances that are ready. */
  readonly ready: number;
  /** Instances that crashed, those that are being started again after it among them. */
  readonly crashed: number;
  /** Kinds of the operations that have not ended. */
  readonly openOperations: readonly OperationKind[];
  /** Of the release that is being rolled out. */
  readonly pendingRelease: Release['kind'] | null;
  /** Of what runs now; null before the first. */
  readonly deployed: {
    readonly buildId: Id<'build'> | null;
    readonly at: Date;
    readonly by: string;
  } | null;
}
