import type { Id } from '../names.ts';
import type { Page, PageRequest } from '../ports/page.ts';
import type { EventReach, EventSelection } from './event-selection.ts';

/** What happened, in the past tense; also the audit trail. `data` never holds a secret. */
export type EventKind =
  | 'UserCreated'
  | 'UserLoggedIn'
  | 'UserUpdated'
  | 'TeamCreated'
  | 'TeamUpdated'
  | 'TeamRemoved'
  | 'MemberAdded'
  | 'MemberRemoved'
  | 'TokenCreated'
  | 'TokenRemoved'
  | 'RoleChanged'
  | 'SpaceCreated'
  | 'SpaceUpdated'
  | 'SpaceRemoved'
  | 'AppCreated'
  | 'AppUpdated'
  | 'AppDeleted'
  | 'AppRestarted'
  | 'AppStopped'
  | 'AppStarted'
  | 'MaintenanceChanged'
  | 'FeatureChanged'
  | 'ProcessCreated'
  | 'ProcessUpdated'
  | 'ProcessRemoved'
  | 'ProcessScaled'
  | 'AppScaled'
  | 'ConfigChanged'
  | 'BuildCreated'
  | 'BuildStarted'
  | 'BuildSucceeded'
  | 'BuildFailed'
  | 'BuildCancelled'
  | 'ReleaseCreated'
  | 'ReleaseSucceeded'
  | 'ReleaseFailed'
  | 'InstanceReady'
  | 'InstanceCrashed'
  | 'CommandExecuted'
  | 'DomainAdded'
  | 'DomainRemoved'
  | 'ServiceCreated'
  | 'ServiceUpdated'
  | 'ServiceRemoved'
  | 'AddonCreated'
  | 'AddonReady'
  | 'AddonFailed'
  | 'AddonUpgraded'
  | 'AddonUpdated'
  | 'AddonRemoved'
  | 'BindingAdded'
  | 'BindingRemoved'
  | 'CertificateSet'
  | 'CertificateRemoved'
  | 'KeyAdded'
  | 'KeyRemoved'
  | 'RegistrySet'
  | 'RegistryRemoved'
  | 'CollaboratorInvited'
  | 'CollaboratorAccepted'
  | 'CollaboratorRemoved'
  | 'AppRenamed'
  | 'AppTransferred'
  | 'PoolCreated'
  | 'PoolRemoved'
  | 'NodeAdded'
  | 'NodeUpdated'
  | 'NodeReady'
  | 'NodeDown'
  | 'NodeDrained'
  | 'NodeHealed'
  | 'NodeRemoved'
  | 'NodesRebalanced';

export interface PlatformEvent {
  /** Grows with each event; the cursor of readers of the outbox. Set by the store. */
  readonly sequence: number;
  readonly id: Id<'event'>;
  readonly kind: EventKind;
  readonly at: Date;
  readonly actorName: string;
  readonly actorId: Id<'user'> | null;
  readonly teamId: Id<'team'> | null;
  readonly spaceId: Id<'space'> | null;
  readonly appId: Id<'app'> | null;
  readonly data: Readonly<Record<string, unknown>>;
}
export interface EventFilter {
  readonly appId?: Id<'app'>;
  readonly spaceId?: Id<'space'>;
  readonly actorName?: string;
  readonly kinds?: readonly EventKind[];
  /** What one of these chooses; absent: all. */
  readonly selections?: readonly EventSelection[];
  /** Not older. */
  readonly since?: Date;
  readonly reach?: EventReach;
}
/** A piece of a list for APIs that number their pages. */
export interface Slice {
  readonly offset: number;
  /** 1…1000. */
  readonly limit: number;
}
export interface EventSlice {
  readonly items: readonly PlatformEvent[];
  readonly total: number;
}
export interface EventStore {
  append(event: Omit<PlatformEvent, 'sequence'>): Promise<void>;
  /** Newest first. */
  list(filter: EventFilter, page: PageRequest): Promise<Page<PlatformEvent>>;
  /** Newest first: those after the first `offset`, and how many there are in all. */
  slice(filter: EventFilter, slice: Slice): Promise<EventSlice>;
  /** By id, short ones too. */
  find(reference: string, filter: EventFilter): Promise<PlatformEvent | null>;
  /** Oldest first, after a sequence: the outbox. */
  after(sequence: number, limit: number): Promise<readonly PlatformEvent[]>;
  removeBefore(at: Date): Promise<number>;
}
