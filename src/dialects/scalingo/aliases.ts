/** `$OTHER` as the whole value of a variable stands for the value of that one. Pure. */

const DEPTH_MAX = 20;

/** The value at the end of a chain of aliases. One that leads nowhere, or in a circle, stays as it is written. */
export function resolveAlias(value: string, values: ReadonlyMap<string, string>): string {
  let current = value;
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    const name = /^\$([A-Za-z_]\w*)$/.exec(current)?.[1];
    if (name === undefined) return current;
    const next = values.get(name);
    if (next === undefined) return depth === 0 ? value : current;
    current = next;
  }
  return value;
}
