/** What the database's errors mean to the core. */
import { type BerthError, conflict, invalid, notFound, unavailable } from '../core/errors.ts';

interface PostgresError extends Error {
  readonly code?: string;
  readonly constraint?: string;
}

/** Unique constraints: the noun whose name is taken. */
const taken: Readonly<Record<string, string>> = {
  users_username_key: 'user',
  users_email_key: 'user',
  users_pkey: 'user',
  teams_name_key: 'team',
  teams_pkey: 'team',
  memberships_pkey: 'member',
  tokens_hash_key: 'token',
  tokens_pkey: 'token',
  roles_name_key: 'role',
  roles_pkey: 'role',
  pools_name_key: 'pool',
  pools_default_key: 'pool',
  pools_pkey: 'pool',
  nodes_address_key: 'node',
  nodes_home_key: 'node',
  nodes_pkey: 'node',
  sizes_name_key: 'size',
  sizes_default_key: 'size',
  sizes_pkey: 'size',
  spaces_name_key: 'space',
  spaces_pkey: 'space',
  apps_handle_key: 'app',
  apps_name_key: 'app',
  apps_pkey: 'app',
  processes_type_key: 'process',
  processes_pkey: 'process',
  builds_number_key: 'build',
  builds_pkey: 'build',
  releases_version_key: 'release',
  releases_pkey: 'release',
  instances_pkey: 'instance',
  domains_place_key: 'domain',
  domains_pkey: 'domain',
  ssh_keys_name_key: 'key',
  ssh_keys_fingerprint_key: 'key',
  ssh_keys_pkey: 'key',
  collaborators_email_key: 'collaborator',
  collaborators_user_key: 'collaborator',
  collaborators_pkey: 'collaborator',
  operations_pkey: 'operation',
  services_name_key: 'service',
  services_user_key: 'service',
  plans_name_key: 'plan',
  addons_name_key: 'addon',
  addons_pkey: 'addon',
  bindings_place_key: 'binding',
  bindings_name_key: 'binding',
};

/** Foreign keys that say more than "in use" when the other side is removed. */
const inUse: Readonly<Record<string, readonly [code: string, message: string, noun: string]>> = {
  apps_team_id_fkey: ['team-has-apps', 'the team still has apps', 'team'],
  apps_space_id_fkey: ['space-has-apps', 'the space still has apps', 'space'],
  spaces_pool_id_fkey: ['pool-has-spaces', 'the pool still has spaces', 'pool'],
  apps_pool_id_fkey: ['pool-has-apps', 'the pool still has apps', 'pool'],
  nodes_pool_id_fkey: ['pool-has-nodes', 'the pool still has nodes', 'pool'],
  addons_team_id_fkey: ['team-has-addons', 'the team still has add-ons', 'team'],
  addons_service_id_fkey: ['service-has-addons', 'there are still add-ons of the service', 'service'],
  addons_plan_id_fkey: ['plan-has-addons', 'there are still add-ons of the plan', 'plan'],
  addons_wanted_plan_id_fkey: ['plan-has-addons', 'there are still add-ons of the plan', 'plan'],
  services_team_id_fkey: ['team-has-services', 'the team still has services', 'team'],
};

const lostCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '53300', // too many connections
  '57P01', // the server is shutting down
  '57P02',
  '57P03', // starting up
  '57014', // the statement took too long
  '25P03', // idle in a transaction for too long
]);
const lostWords =
  /connection terminated|timeout exceeded|query read timeout|not queryable|client has encountered|was closed/i;

/** Whether the transaction lost against another one and may simply be done again. */
export const isRetryable = (error: unknown): boolean => {
  const code = (error as PostgresError | null)?.code;
  return code === '40001' || code === '40P01';
};

/** Whether the error says that the database cannot be reached. */
export const isLost = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const { code = '' } = error as PostgresError;
  return lostCodes.has(code) || code.startsWith('08') || lostWords.test(error.message);
};

/** The core's error for a database error, or the error itself when it is the platform's own fault. The cause is kept for the log. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, constraint = '' } = error as PostgresError;
  if (code === '23505') {
    const noun = taken[constraint];
    return noun === undefined
      ? error
      : withCause(conflict(`${noun}-exists`, `the ${noun} exists already`, noun), error);
  }
  if (code === '23503') return translateReference(error, constraint);
  // Not UUIDs, NUL bytes and numbers out of range reach a statement only as a caller's value.
  if (code === '22P02' || code === '22021' || code === '22003') {
    return withCause(invalid('value', 'a value has a form that cannot be stored', 'malformed'), error);
  }
  return isLost(error) ? unavailable('the database cannot be reached', error) : error;
}

function translateReference(error: Error, constraint: string): BerthError {
  const missing = /^insert or update/.test(error.message);
  const noun = /_([a-z]+)_id_fkey$/.exec(constraint)?.[1] ?? 'thing';
  if (missing) return withCause(notFound(noun), error);
  const [code, message, subject] = inUse[constraint] ?? ['in-use', `the ${noun} is still in use`, noun];
  return withCause(conflict(code, message, subject), error);
}

function withCause(error: BerthError, cause: Error): BerthError {
  error.cause = cause;
  return error;
}
