/** Keeps a measured process alone on one core, and everything else of the bench on the other. */
import { run } from '../../src/lib/exec.ts';

export const subjectCore = '0';
export const otherCore = '1';
export const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** Moves all threads of a running process to one core; children that it starts later follow. */
export async function pin(pid: number, core: string): Promise<void> {
  const { code, stderr } = await run(['taskset', '-a', '-p', '-c', core, String(pid)], {
    environment,
    timeoutMs: 5_000,
  });
  if (code !== 0) throw new Error(`taskset: ${stderr}`);
}

/** What of the named programs this machine lacks, as a reason to skip; null when all are there. */
export async function missingPrograms(programs: Readonly<Record<string, string>>): Promise<string | null> {
  for (const [program, versionFlag] of Object.entries(programs)) {
    try {
      await run([program, versionFlag], { environment, timeoutMs: 5_000 });
    } catch {
      return `${program} is not installed`;
    }
  }
  return null;
}
