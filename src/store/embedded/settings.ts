/** How the embedded server is set: durable, on a unix socket only, and small, because it shares a machine with the apps. */
export const PORT = 5432;

const settings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  password_encryption: 'scram-sha-256',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '40',
  shared_buffers: '24MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  wal_buffers: '1MB',
  min_wal_size: '32MB',
  max_wal_size: '128MB',
  // No replicas of the embedded server: less to write.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_worker_processes: '2',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  autovacuum_max_workers: '1',
  max_logical_replication_workers: '0',
  huge_pages: 'off',
  jit: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
  lc_messages: 'C',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_min_messages: 'warning',
  // Neither statements nor the values in an error's detail reach the server's log.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

/** The server's arguments; `extra` wins over the defaults. */
export function serverArguments(
  major: number,
  cluster: string,
  socketFolder: string,
  extra: Readonly<Record<string, string>>,
): readonly string[] {
  const all = {
    ...settings,
    // From 18 on reading would have workers of its own, which cost memory.
    ...(major >= 18 ? { io_method: 'sync' } : {}),
    ...extra,
    unix_socket_directories: socketFolder,
  };
  return ['-D', cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
