/** Whom the database server runs as. PostgreSQL refuses root, so as root an unprivileged account of the machine is taken. */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order: an account made for it, then one that owns nothing. */
const candidates = ['berth-postgres', 'postgres', 'nobody'];

/** The account to run as, or null: our own will do. Throws when we are root and the machine has none that fits. */
export async function serverAccount(): Promise<Account | null> {
  if (process.geteuid?.() !== 0) return null;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of candidates) {
    const [, , uid, gid] = lines.find((fields) => fields[0] === name) ?? [];
    if (uid !== undefined && gid !== undefined && uid !== '0') return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`PostgreSQL does not run as root, and the machine has none of the users ${candidates.join(', ')}`);
}

/** The nearest folder on the way to `path` that the account may not pass through, or null when it reaches it. */
export async function barrierTo(path: string, account: Account | null): Promise<string | null> {
  if (account === null) return null;
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return folder;
    if (folder === dirname(folder)) return null;
  }
}
