/** Variables: a list of `KEY=value`, where the last of a name counts, or an object, which becomes such a list sorted by name. */
import { configName } from '../../../core/names.ts';
import { byKey, objectOf, textOf } from './fields.ts';
import type { Place } from './place.ts';

export interface ReadEnv {
  readonly variables: Readonly<Record<string, string>>;
  readonly json: readonly string[];
}

export function readEnv(value: unknown, place: Place): ReadEnv {
  if (Array.isArray(value)) {
    const entries = value.map((item, index) => pairOf(item, place.at(index)));
    return { variables: Object.fromEntries(entries), json: entries.map((entry) => entry.join('=')) };
  }
  const entries = Object.entries(objectOf(value, place)).map(
    ([name, item]) => [nameOf(name, place), textOf(item, place.at(name))] as const,
  );
  return {
    variables: Object.fromEntries(entries),
    json: entries.toSorted(byKey).map((entry) => entry.join('=')),
  };
}

function pairOf(item: unknown, place: Place): readonly [string, string] {
  const text = textOf(item, place);
  const end = text.indexOf('=');
  if (end < 0) throw place.wrong('must have the form KEY=value');
  return [nameOf(text.slice(0, end), place), text.slice(end + 1)];
}

/** The name is not repeated in the error: a whole secret may stand where a name is expected. */
function nameOf(name: string, place: Place): string {
  try {
    return configName(name);
  } catch {
    throw place.wrong(
      'a variable must have a name of letters, digits and underscores that does not begin with a digit',
    );
  }
}
