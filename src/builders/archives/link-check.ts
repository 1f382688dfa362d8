/**
 * Says whether symbolic links stay inside a tree, by following them the way the kernel would, over names only. A look at the target's
 * text alone is not enough: `a/b -> ..` and `c -> a/b/..` are both short and harmless to look at, and together they leave.
 */

/** Paths are components joined with `/`, relative to the tree's root. */
export type Links = ReadonlyMap<string, string>;

const maxHops = 40;

/** Why the link at `path` may not be, or null when it resolves inside the tree (existing or not). */
export function linkProblem(path: string, links: Links): string | null {
  const target = links.get(path);
  if (target === undefined) return null;
  const at = path.split('/').slice(0, -1);
  return follow(at, target, links, { hops: 0 });
}

/** Walks `target` from the folder `at`, which it changes to where the walk ends. */
function follow(at: string[], target: string, links: Links, budget: { hops: number }): string | null {
  if (target === '' || target.includes('\0')) return 'is a malformed link';
  if (target.startsWith('/')) return 'is a link to an absolute path';
  for (const component of target.split('/')) {
    if (component === '' || component === '.') continue;
    if (component === '..') {
      if (at.length === 0) return 'is a link that leaves the archive';
      at.pop();
      continue;
    }
    at.push(component);
    const next = links.get(at.join('/'));
    if (next === undefined) continue;
    budget.hops += 1;
    if (budget.hops > maxHops) return 'is a link that goes in circles';
    at.pop();
    const problem = follow(at, next, links, budget);
    if (problem !== null) return problem;
  }
  return null;
}
