/** What a push wants to change, and whether that is a deploy. Pure. */

export interface RefUpdate {
  /** All zeros: the ref is new. */
  readonly from: string;
  /** All zeros: the ref is to be deleted. */
  readonly to: string;
  readonly ref: string;
}

export type PushDecision =
  | { readonly deploy: true; readonly branch: string; readonly commit: string }
  /** Lines for the person who pushed. */
  | { readonly deploy: false; readonly reasons: readonly string[] };

export const deployedBranches: readonly string[] = ['main', 'master'];

const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const branchPrefix = 'refs/heads/';

/** Reads what git gives to a pre-receive hook: `<old> <new> <ref>`, one a line. Null when it is anything else. */
export function parseUpdates(text: string): readonly RefUpdate[] | null {
  const updates: RefUpdate[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [from = '', to = '', ...rest] = line.split(' ');
    const ref = rest.join(' ');
    if (!objectId.test(from) || !objectId.test(to) || !ref.startsWith('refs/')) return null;
    updates.push({ from, to, ref });
  }
  return updates;
}

/** A push deploys one of the two branches; tags may come with it. Anything else is refused as a whole, so that nothing is half done. */
export function decide(updates: readonly RefUpdate[]): PushDecision {
  const branches = updates.filter(({ ref }) => !ref.startsWith('refs/tags/'));
  const others = branches.filter(({ ref }) => !deployedBranches.includes(branchOf(ref)));
  const [first] = branches;
  if (others.length > 0 || first === undefined) {
    const names = (others.length > 0 ? others : updates).map(({ ref }) => ref.replace(/^refs\/(?:heads\/)?/, ''));
    return refuse(
      `Only the branches ${deployedBranches.join(' and ')} are deployed, not ${names.join(', ') || 'nothing'}.`,
      'To deploy another branch: git push <remote> <branch>:main',
    );
  }
  if (branches.length > 1) return refuse('Push main or master, not both at once: an app runs one of them.');
  if (/^0+$/.test(first.to)) return refuse(`The branch ${branchOf(first.ref)} is deployed and cannot be deleted.`);
  return { deploy: true, branch: branchOf(first.ref), commit: first.to };
}

const refuse = (...reasons: string[]): PushDecision => ({ deploy: false, reasons });
const branchOf = (ref: string): string => (ref.startsWith(branchPrefix) ? ref.slice(branchPrefix.length) : '');
