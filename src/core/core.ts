/** All services of the core in one place; main makes them, dialects get them. */
import { Authenticator } from './access/authenticator.ts';
import { AddonService } from './addons/addon-service.ts';
import { BindingService } from './addons/binding-service.ts';
import { ProviderCallbacks } from './addons/provider-callbacks.ts';
import { AnnotationService } from './annotations/annotation-service.ts';
import { AppOwnershipService } from './apps/app-ownership-service.ts';
import { AppService } from './apps/app-service.ts';
import { BuildService } from './builds/build-service.ts';
import { CollaboratorService } from './collaborators/collaborator-service.ts';
import { ConfigService } from './config/config-service.ts';
import { DeploymentFeed } from './deployments/deployment-feed.ts';
import { DeploymentService } from './deployments/deployment-service.ts';
import { DomainService } from './domains/domain-service.ts';
import { EventService } from './events/event-service.ts';
import { FavoriteService } from './favorites/favorite-service.ts';
import { InstanceService } from './instances/instance-service.ts';
import { KeyService } from './keys/key-service.ts';
import { LogService } from './logs/log-service.ts';
import { MetricService } from './metrics/metric-service.ts';
import { MoveService } from './nodes/move-service.ts';
import { NodeService } from './nodes/node-service.ts';
import { AttachmentService } from './one-offs/attachment-service.ts';
import { HeldOneOffs } from './one-offs/held-one-offs.ts';
import { OneOffService } from './one-offs/one-off-service.ts';
import { OperationService } from './operations/operation-service.ts';
import { PoolService } from './pools/pool-service.ts';
import type { AddonProviders } from './ports/addon-provider.ts';
import type { BlobStore } from './ports/blob-store.ts';
import type { Builder } from './ports/builder.ts';
import type { CoreContext } from './ports/core-context.ts';
import type { Engine } from './ports/engine.ts';
import type { LogStore } from './ports/log-store.ts';
import type { MetricStore } from './ports/metric-store.ts';
import type { PasswordHasher } from './ports/password-hasher.ts';
import { ProcessService } from './processes/process-service.ts';
import { ProcessSwitchService } from './processes/process-switch-service.ts';
import { PushService } from './pushes/push-service.ts';
import { QuotaService } from './quotas/quota-service.ts';
import { RegistryService } from './registries/registry-service.ts';
import { ImageService } from './releases/image-service.ts';
import { ReleaseService } from './releases/release-service.ts';
import { RoleService } from './roles/role-service.ts';
import { CatalogueService } from './services/catalogue-service.ts';
import { SizeService } from './sizes/size-service.ts';
import { SpaceService } from './spaces/space-service.ts';
import { TeamService } from './teams/team-service.ts';
import { TokenService } from './tokens/token-service.ts';
import { TunnelService } from './tunnels/tunnel-service.ts';
import { UserService } from './users/user-service.ts';

export interface CoreParts extends CoreContext {
  readonly passwords: PasswordHasher;
  readonly engine: Engine;
  readonly builder: Pick<Builder, 'hasArtifact' | 'clearCache'>;
  readonly logs: LogStore;
  /** Absent: nothing is known of what was. */
  readonly metrics?: MetricStore;
  /** Absent: one-offs take no files. */
  readonly blobs?: BlobStore;
  /** Absent: nothing of the catalogue can be made. */
  readonly addonProviders?: AddonProviders;
  /** Apps answer below it by their handle. */
  readonly baseDomain: string;
}

export function createCore(parts: CoreParts) {
  const authenticator = new Authenticator(parts, parts.passwords);
  const builds = new BuildService(parts, parts.logs);
  const releases = new ReleaseService(parts, parts.builder);
  const deployments = new DeploymentService(parts, builds, parts.builder, parts.logs);
  const held = new HeldOneOffs((blobId) => void parts.blobs?.remove(blobId).catch(() => {}));
  return {
    authenticator,
    users: new UserService(parts, parts.passwords, authenticator),
    teams: new TeamService(parts, authenticator),
    tokens: new TokenService(parts, authenticator),
    roles: new RoleService(parts, authenticator),
    quotas: new QuotaService(parts),
    domains: new DomainService(parts, parts.baseDomain),
    spaces: new SpaceService(parts),
    sizes: new SizeService(parts),
    pools: new PoolService(parts),
    nodes: new NodeService(parts),
    moves: new MoveService(parts),
    apps: new AppService(parts, parts.baseDomain),
    processes: new ProcessService(parts),
    config: new ConfigService(parts),
    builds,
    releases,
    deployments,
    deploymentFeed: new DeploymentFeed(parts, parts.logs),
    pushes: new PushService(parts, deployments, parts.logs),
    tunnels: new TunnelService(parts),
    instances: new InstanceService(parts, parts.engine),
    oneOffs: new OneOffService(parts, parts.engine, held),
    attachments: new AttachmentService(parts, parts.engine, held, parts.blobs ?? null),
    logs: new LogService(parts, parts.logs),
    metrics: new MetricService(parts, parts.metrics ?? null),
    events: new EventService(parts),
    favorites: new FavoriteService(parts),
    services: new CatalogueService(parts),
    addons: new AddonService(parts, parts.addonProviders ?? {}),
    bindings: new BindingService(parts),
    providerCallbacks: new ProviderCallbacks(parts),
    keys: new KeyService(parts),
    collaborators: new CollaboratorService(parts, authenticator),
    appOwnership: new AppOwnershipService(parts, authenticator),
    annotations: new AnnotationService(parts),
    switches: new ProcessSwitchService(parts, parts.builder),
    registries: new RegistryService(parts),
    images: new ImageService(parts, parts.builder),
    operations: new OperationService(parts),
  };
}

export type Core = ReturnType<typeof createCore>;
