/** Letting others than the platform in, over TCP: for a server whose databases belong to others. */
import { chown, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { SUPERUSER } from './cluster.ts';
import type { Folders } from './folders.ts';

/**
 * The first line that fits decides. Over TCP a role reaches the database of its own name, with its password; the superuser only comes by the
 * socket. Any address may ask: the server listens on the loopback alone, and what the firewall lets through to it keeps its own address.
 */
const rules = `# Written at each start.
local all ${SUPERUSER} scram-sha-256
host all ${SUPERUSER} all reject
host sameuser all all scram-sha-256
`;

/** Writes the rules, and gives the server settings that go with them. */
export async function admitOverNetwork(
  folders: Folders,
  account: Account | null,
  port: number,
): Promise<Readonly<Record<string, string>>> {
  const file = join(folders.base, 'pg_hba.conf');
  await writeFile(`${file}.new`, rules, { mode: 0o600 });
  if (account !== null) await chown(`${file}.new`, account.uid, account.gid);
  await rename(`${file}.new`, file);
  return { listen_addresses: '127.0.0.1', port: String(port), hba_file: file };
}
