/** How many instances a component may have: min and max, 1 to 10, and in a pod the same for all. */
import type { ComponentDraft, JsonObject, Scale } from './definition.ts';
import { compact, type Fields } from './fields.ts';
import type { Place } from './place.ts';

export const defaultMin = 1;
export const defaultMax = 10;
const limit = 10;

/** From the fields of a scaling policy; `json` has what is given. */
export function readScale(fields: Fields, place: Place): { scale: Scale; json: JsonObject } {
  const min = countOf(fields.get('min'), place.at('min'));
  const max = countOf(fields.get('max'), place.at('max'));
  const scale: Scale = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  checkedRange(scale, place);
  return {
    scale,
    json: compact([
      ['min', min],
      ['max', max],
    ]),
  };
}

/** With the defaults. Throws when min is above max. */
export function checkedRange(scale: Scale, place: Place): Required<Scale> {
  const { min = defaultMin, max = defaultMax } = scale;
  if (min > max) throw place.wrong(`min (${min}) must not be above max (${max})`);
  return { min, max };
}

/**
 * What counts for a component: what it says, else what another member of its pod says, else what it or they inherit, else the default.
 * Throws WrongInput where members of a pod say different things.
 */
export function resolveScale(component: ComponentDraft, members: readonly ComponentDraft[]): Required<Scale> {
  const all = [component, ...members];
  const place = component.scalePlace;
  const value = (which: 'min' | 'max'): Scale => {
    const said =
      agreed(
        all.map((each) => each.scale[which]),
        place.at(which),
      ) ??
      agreed(
        all.map((each) => each.inheritedScale[which]),
        place.at(which),
      );
    return said === undefined ? {} : { [which]: said };
  };
  return checkedRange({ ...value('min'), ...value('max') }, place);
}

function agreed(values: readonly (number | undefined)[], place: Place): number | undefined {
  const said = new Set(values.filter((value) => value !== undefined));
  if (said.size > 1) throw place.wrong('must be the same for all components of a pod');
  return [...said][0];
}

function countOf(value: unknown, place: Place): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw place.wrong('must be a whole number');
  if (value < 1 || value > limit) throw place.wrong(`must be from 1 to ${limit}`);
  return value;
}
