/** Import cycles: files that need each other before either has run. Type imports are gone by then and do not count. */
import type { Import } from './imports.ts';
import type { Finding } from './source-files.ts';

/** One error for each cycle that a depth-first walk closes. */
export function checkCycles(imports: readonly Import[]): Finding[] {
  const targets = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) {
    if (!typeOnly) targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const findings: Finding[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) {
      const message = `import cycle: ${[...trail.slice(seenAt), path].join(' → ')}`;
      findings.push({ level: 'error', path, message });
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const target of targets.get(path) ?? []) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const path of targets.keys()) visit(path);
  return findings;
}
