/** A definition with the tags that updates gave its components since: the only thing of it that ever changes. */
import { withTag } from '../../../core/images/image-reference.ts';
import type { JsonObject, JsonValue, ParsedDefinition } from './definition.ts';

/**
 * The normalised definition with other tags in the images of components, by their process type. Types that it does not have change
 * nothing. Throws the core's invalid `image` for what cannot be a tag.
 */
export function withImageTags(parsed: ParsedDefinition, tags: ReadonlyMap<string, string>): JsonObject {
  return parsed.components.reduce<JsonObject>((definition, { type, place, image }) => {
    const tag = tags.get(type);
    return tag === undefined ? definition : withImage(definition, place.steps, withTag(image, tag).text);
  }, parsed.definition);
}

function withImage(definition: JsonObject, steps: readonly (string | number)[], image: string): JsonObject {
  const replaced = replacedAt(definition, [...steps, 'image'], image);
  return isObject(replaced) ? replaced : definition;
}

function replacedAt(json: JsonValue, steps: readonly (string | number)[], value: JsonValue): JsonValue {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (isList(json)) return json.map((item, index) => (index === step ? replacedAt(item, rest, value) : item));
  if (!isObject(json)) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, item]) => [key, key === step ? replacedAt(item, rest, value) : item]),
  );
}

const isList = (json: JsonValue): json is readonly JsonValue[] => Array.isArray(json);
const isObject = (json: JsonValue): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);
