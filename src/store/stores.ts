/** All stores over one connection or pool. */
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { Stores } from '../core/ports/database.ts';
import type { SecretBox } from '../core/ports/secret.ts';
import { createAddonStore } from './addons.ts';
import { createAnnotationStore } from './annotations.ts';
import { createAppStore } from './apps.ts';
import { createArtifactStore } from './artifacts.ts';
import { createBindingStore } from './bindings.ts';
import { createBuildStore } from './builds.ts';
import { createCertificateStore } from './certificates.ts';
import { createCollaboratorStore } from './collaborators.ts';
import { createConfigStore } from './config.ts';
import { createDeploymentStore } from './deployments.ts';
import { createDomainStore } from './domains.ts';
import { createEventStore } from './events.ts';
import { createFavoriteStore } from './favorites.ts';
import { createInstanceStore } from './instances.ts';
import { createKeyStore } from './keys.ts';
import { createLeaseStore } from './leases.ts';
import { createNodeStore } from './nodes.ts';
import { createOperationStore } from './operations.ts';
import { createPoolStore } from './pools.ts';
import { createProcessStore } from './processes.ts';
import { createQuotaStore } from './quotas.ts';
import { createRegistryStore } from './registries.ts';
import { createReleaseStore } from './releases.ts';
import { createRoleStore } from './roles.ts';
import type { Schema } from './schema.ts';
import { createServiceStore } from './services.ts';
import { createSizeStore } from './sizes.ts';
import { createSpaceStore } from './spaces.ts';
import { createTeamStore } from './teams.ts';
import { createTokenStore } from './tokens.ts';
import { createUserStore } from './users.ts';
import { createVolumeStore } from './volumes.ts';
import { WAKE_CHANNEL, wakePayload } from './wakes.ts';

/** The stores over `db`: the pool, or one transaction of it. */
export function createStores(db: Kysely<Schema>, box: SecretBox): Stores {
  return {
    users: createUserStore(db),
    teams: createTeamStore(db),
    tokens: createTokenStore(db),
    roles: createRoleStore(db),
    spaces: createSpaceStore(db),
    pools: createPoolStore(db),
    nodes: createNodeStore(db, box),
    sizes: createSizeStore(db),
    apps: createAppStore(db),
    processes: createProcessStore(db),
    config: createConfigStore(db, box),
    artifacts: createArtifactStore(db),
    builds: createBuildStore(db, box),
    deployments: createDeploymentStore(db),
    releases: createReleaseStore(db),
    instances: createInstanceStore(db),
    domains: createDomainStore(db),
    events: createEventStore(db),
    operations: createOperationStore(db),
    leases: createLeaseStore(db),
    quotas: createQuotaStore(db),
    favorites: createFavoriteStore(db),
    services: createServiceStore(db, box),
    addons: createAddonStore(db, box),
    bindings: createBindingStore(db),
    keys: createKeyStore(db),
    collaborators: createCollaboratorStore(db),
    certificates: createCertificateStore(db, box),
    registries: createRegistryStore(db, box),
    volumes: createVolumeStore(db),
    annotations: createAnnotationStore(db, box),
    async wake(topic, id) {
      await sql`select pg_notify(${WAKE_CHANNEL}, ${wakePayload(topic, id)})`.execute(db);
    },
  };
}
