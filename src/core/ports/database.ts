/** Desired state as the core sees it: the stores, and transactions over them. */
import type { AddonStore, BindingStore } from '../addons/addon.ts';
import type { AnnotationStore } from '../annotations/annotation.ts';
import type { AppStore } from '../apps/app-store.ts';
import type { ArtifactStore } from '../artifacts/artifact.ts';
import type { BuildStore } from '../builds/build.ts';
import type { CertificateStore } from '../certificates/certificate.ts';
import type { CollaboratorStore } from '../collaborators/collaborator.ts';
import type { ConfigStore } from '../config/config.ts';
import type { DeploymentStore } from '../deployments/deployment.ts';
import type { DomainStore } from '../domains/domain.ts';
import type { EventStore } from '../events/event.ts';
import type { FavoriteStore } from '../favorites/favorite.ts';
import type { InstanceStore } from '../instances/instance.ts';
import type { KeyStore } from '../keys/key.ts';
import type { NodeStore } from '../nodes/node.ts';
import type { LeaseStore, OperationStore } from '../operations/operation.ts';
import type { PoolStore } from '../pools/pool.ts';
import type { ProcessStore } from '../processes/process.ts';
import type { QuotaStore } from '../quotas/quota.ts';
import type { RegistryStore } from '../registries/registry.ts';
import type { ReleaseStore } from '../releases/release.ts';
import type { RoleStore } from '../roles/role-store.ts';
import type { ServiceStore } from '../services/service.ts';
import type { SizeStore } from '../sizes/size.ts';
import type { SpaceStore } from '../spaces/space-store.ts';
import type { TeamStore } from '../teams/team-store.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { UserStore } from '../users/user-store.ts';
import type { VolumeStore } from '../volumes/volume.ts';

/** Wakes loops in every replica. Sent inside a transaction it arrives after its commit, or never when it rolls back. */
export type WakeTopic = 'app' | 'operation' | 'event' | 'routing' | 'node';

export interface Stores {
  readonly users: UserStore;
  readonly teams: TeamStore;
  readonly tokens: TokenStore;
  readonly roles: RoleStore;
  readonly spaces: SpaceStore;
  readonly pools: PoolStore;
  readonly nodes: NodeStore;
  readonly sizes: SizeStore;
  readonly apps: AppStore;
  readonly processes: ProcessStore;
  readonly config: ConfigStore;
  readonly artifacts: ArtifactStore;
  readonly builds: BuildStore;
  readonly deployments: DeploymentStore;
  readonly releases: ReleaseStore;
  readonly instances: InstanceStore;
  readonly domains: DomainStore;
  readonly events: EventStore;
  readonly operations: OperationStore;
  readonly leases: LeaseStore;
  readonly quotas: QuotaStore;
  readonly favorites: FavoriteStore;
  readonly services: ServiceStore;
  readonly addons: AddonStore;
  readonly bindings: BindingStore;
  readonly keys: KeyStore;
  readonly collaborators: CollaboratorStore;
  readonly certificates: CertificateStore;
  readonly registries: RegistryStore;
  readonly volumes: VolumeStore;
  readonly annotations: AnnotationStore;
  wake(topic: WakeTopic, id: string): Promise<void>;
}

export interface Database extends Stores {
  /** One transaction (read committed): all of it is durable when the promise resolves, or none of it happened. */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Calls back for every wake, also from other replicas; after a lost connection calls with id `*`. Returns the way to stop. */
  onWake(listener: (topic: WakeTopic, id: string) => void): () => void;
  ping(): Promise<void>;
  close(): Promise<void>;
}
