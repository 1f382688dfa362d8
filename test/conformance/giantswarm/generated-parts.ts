/** Parts of random definitions that both formats have; every one of them is right, in any of its spellings. */
import fc from 'fast-check';

export type Json = Readonly<Record<string, unknown>>;
/** Draws one value of an arbitrary. */
export type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T;

/** An arbitrary of what is made by drawing one thing after another. */
export const drawn = <T>(make: (draw: Draw) => T): fc.Arbitrary<T> =>
  fc.gen().map((value) => make((arbitrary) => value(() => arbitrary)));

export const text = fc
  .string({
    unit: fc.oneof(fc.constantFrom('a', 'B', '=', '"', '\n', '$', ' '), fc.string({ unit: 'binary' })),
    maxLength: 8,
  })
  .map((each) => each.replaceAll('\0', '').toWellFormed());

const image = fc.constantFrom(
  'redis',
  'mysql:5.5',
  'acme/web',
  'registry.example.com/acme/web:1.0',
  'host:5000/a/b/c:x',
);
const variables = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/), text, { maxKeys: 4 });

export const maybe = (draw: Draw, key: string, arbitrary: fc.Arbitrary<unknown>): Json =>
  draw(fc.boolean()) ? { [key]: draw(arbitrary) } : {};

/** One of the ways to write a port. */
export const port = (number: number): fc.Arbitrary<unknown> => fc.constantFrom(number, `${number}`, `${number}/tcp`);

export const scale = fc.record(
  { min: fc.integer({ min: 1, max: 5 }), max: fc.integer({ min: 5, max: 10 }) },
  { requiredKeys: [] },
);

/** Three ports that no other component of the definition has. */
export const portsOf = (index: number): readonly number[] => [1, 2, 3].map((each) => 1000 + index * 10 + each);

/** Image, command, variables, ports and domains of the component with this number. */
export function parts(draw: Draw, index: number): { json: Json; ports: readonly number[]; env: Json; hosts: number } {
  const ports = portsOf(index).slice(0, draw(fc.integer({ min: 1, max: 3 })));
  const written = ports.map((each) => draw(port(each)));
  const env = draw(variables);
  const hosts = draw(fc.nat(2));
  const pairs = Array.from(
    { length: hosts },
    (_, each) =>
      [`${draw(fc.constantFrom('d', 'D'))}${index}-${each}.example.com`, ports[each % ports.length] ?? 0] as const,
  );
  return {
    json: {
      image: draw(image),
      ports: written.length === 1 && draw(fc.boolean()) ? written[0] : written,
      ...maybe(draw, 'entrypoint', fc.constantFrom('/bin/app', '')),
      ...maybe(draw, 'args', fc.array(text, { maxLength: 3 })),
      env: draw(fc.boolean()) ? env : Object.entries(env).map((entry) => entry.join('=')),
      domains: draw(fc.boolean()) ? byName(draw, pairs) : byPort(draw, pairs),
    },
    ports,
    env,
    hosts,
  };
}

const byName = (draw: Draw, pairs: readonly (readonly [string, number])[]): Json =>
  Object.fromEntries(pairs.map(([name, number]) => [name, draw(fc.oneof(port(number), fc.tuple(port(number))))]));

function byPort(draw: Draw, pairs: readonly (readonly [string, number])[]): Json {
  const numbers = [...new Set(pairs.map(([, number]) => number))];
  return Object.fromEntries(
    numbers.map((number) => {
      const names = pairs.filter((pair) => pair[1] === number).map(([name]) => name);
      return [String(draw(port(number))), names.length === 1 && draw(fc.boolean()) ? names[0] : names];
    }),
  );
}

/** Volumes of its own, and some of `owner` (a member of the same pod that takes none itself). */
export function volumes(
  draw: Draw,
  index: number,
  owner: { readonly name: string; readonly paths: readonly string[] } | undefined,
): { json: readonly Json[]; paths: readonly string[]; mounts: number } {
  const paths = Array.from({ length: draw(fc.nat(2)) }, (_, each) => `/v${index}/${each}`);
  const own = paths.map((path) => ({
    path: path + draw(fc.constantFrom('', '/')),
    size: draw(fc.constantFrom('5 GB', '5GB', '8  G', '10g', '8', 3)),
  }));
  if (owner === undefined || draw(fc.boolean())) return { json: own, paths, mounts: paths.length };
  const [path] = owner.paths;
  const taken: Json =
    path === undefined || draw(fc.boolean())
      ? { 'volumes-from': owner.name }
      : { 'volume-from': owner.name, 'volume-path': path, ...maybe(draw, 'path', fc.constant(`/t${index}`)) };
  const count = 'volumes-from' in taken ? owner.paths.length : 1;
  return { json: [...own, taken], paths: [], mounts: paths.length + count };
}

/** What a parsed component must be. */
export interface Expected {
  readonly service: string;
  readonly name: string;
  readonly ports: readonly number[];
  readonly env: Json;
  readonly hosts: number;
  readonly mounts: number;
  /** `name service/component:port`. */
  readonly links: readonly string[];
  readonly pod: string | null;
}
export interface Generated {
  readonly definition: Json;
  readonly components: readonly Expected[];
}
