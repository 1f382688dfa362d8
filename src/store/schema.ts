/**
 * The tables as the query builder sees them, derived from the core's types: a column is the field's name in snake case. A field that is
 * kept in another form in the table (sealed, hidden, made by the database) is named here.
 */
import type { Generated } from 'kysely';
import type { Addon, Binding } from '../core/addons/addon.ts';
import type { App } from '../core/apps/app.ts';
import type { Artifact } from '../core/artifacts/artifact.ts';
import type { Build } from '../core/builds/build.ts';
import type { Certificate } from '../core/certificates/certificate.ts';
import type { Collaborator } from '../core/collaborators/collaborator.ts';
import type { ConfigVar } from '../core/config/config.ts';
import type { Domain } from '../core/domains/domain.ts';
import type { PlatformEvent } from '../core/events/event.ts';
import type { Favorite } from '../core/favorites/favorite.ts';
import type { Instance } from '../core/instances/instance.ts';
import type { Key } from '../core/keys/key.ts';
import type { Node } from '../core/nodes/node.ts';
import type { Operation } from '../core/operations/operation.ts';
import type { Pool } from '../core/pools/pool.ts';
import type { Process } from '../core/processes/process.ts';
import type { Quota } from '../core/quotas/quota.ts';
import type { RegistryWithPassword } from '../core/registries/registry.ts';
import type { Release } from '../core/releases/release.ts';
import type { Role, RoleAssignment } from '../core/roles/role.ts';
import type { Plan, Service } from '../core/services/service.ts';
import type { Size } from '../core/sizes/size.ts';
import type { Space } from '../core/spaces/space.ts';
import type { Membership, Team } from '../core/teams/team.ts';
import type { Token } from '../core/tokens/token.ts';
import type { UserWithPassword } from '../core/users/user.ts';
import type { Volume } from '../core/volumes/volume.ts';

export type Snake<S extends string> = S extends `${infer Head}${infer Rest}`
  ? Head extends Lowercase<Head>
    ? `${Head}${Snake<Rest>}`
    : `_${Lowercase<Head>}${Snake<Rest>}`
  : S;

/** A core type as a row: same values, columns in snake case. */
export type Row<T> = { -readonly [K in keyof T as K extends string ? Snake<K> : never]: T[K] };

export interface Schema {
  users: Row<UserWithPassword>;
  teams: Row<Team>;
  memberships: Row<Membership>;
  tokens: Row<Token>;
  roles: Row<Role>;
  role_assignments: Row<RoleAssignment>;
  pools: Row<Pool>;
  nodes: Row<Node> & { tls: Uint8Array | null };
  sizes: Row<Size>;
  spaces: Row<Space>;
  apps: Row<App> & { last_build_number: Generated<number>; last_release_version: Generated<number> };
  processes: Row<Process>;
  config_vars: Row<Omit<ConfigVar, 'value'>> & { value: Uint8Array };
  config_snapshots: { id: string; app_id: string; environment: Uint8Array; created_at: Generated<Date> };
  artifacts: Row<Artifact>;
  builds: Row<Omit<Build, 'source'>> & { source: Uint8Array };
  releases: Row<Release>;
  instances: Row<Instance>;
  domains: Row<Domain>;
  events: Row<Omit<PlatformEvent, 'sequence'>> & { sequence: Generated<number> };
  operations: Row<Operation> & { holder: string | null; lease_until: Date | null };
  leases: { name: string; holder: string; lease_until: Date };
  quotas: Row<Quota>;
  favorites: Row<Favorite>;
  services: Row<Service> & { manifest: Uint8Array | null; manifest_user: string | null };
  plans: Row<Plan>;
  addons: Row<Addon> & { secret: Uint8Array; config: Uint8Array | null };
  bindings: Row<Binding>;
  ssh_keys: Row<Key>;
  collaborators: Row<Collaborator>;
  certificates: Row<Omit<Certificate, 'privateKeyPem'>> & { private_key: Uint8Array };
  registries: Row<Omit<RegistryWithPassword, 'password'>> & { password: Uint8Array };
  volumes: Row<Volume>;
  annotations: { app_id: string; name: string; value: Uint8Array; updated_at: Date };
}
