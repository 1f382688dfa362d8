/**
 * Which names a binding's variables get. The first binding of a kind keeps the provider's names. When one of them is taken (by the app
 * itself or by another binding) all of this binding's get a prefix made of the binding's name; when that is taken too, a number with it.
 */
const PREFIXES_MAX = 100;

/** `story-5660` → `STORY_5660_`. A name that begins with a digit gets an underscore before it, since no variable may. */
export function prefixOf(name: string): string {
  const words = name.toUpperCase().replaceAll(/[^A-Z0-9_]+/g, '_');
  return `${/^\d/.test(words) ? '_' : ''}${words}_`;
}

/**
 * The first prefix under which none of `names` is in `taken`. `wanted` is tried first; null: none at all, then the one of `bindingName`.
 */
export function choosePrefix(
  wanted: string | null,
  bindingName: string,
  names: readonly string[],
  taken: ReadonlySet<string>,
): string {
  const own = wanted === null || wanted === '' ? prefixOf(bindingName) : wanted;
  const numbered = Array.from({ length: PREFIXES_MAX }, (_, index) => own.replace(/_?$/, `_${index + 2}_`));
  const candidates = [wanted ?? '', own, ...numbered];
  const free = candidates.find((prefix) => names.every((name) => !taken.has(prefix + name)));
  if (free === undefined) throw new Error(`no free names for the variables of ${bindingName}`);
  return free;
}
