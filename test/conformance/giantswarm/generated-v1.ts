/** Random definitions in the first format, all of them right, with what must be read from them. */
import fc from 'fast-check';
import {
  type Draw,
  drawn,
  type Expected,
  type Generated,
  type Json,
  maybe,
  parts,
  port,
  scale,
  volumes,
} from './generated-parts.ts';

interface Made extends Expected {
  readonly json: Json;
  /** Of volumes that others may take. */
  readonly paths: readonly string[];
}

export const v1Definitions: fc.Arbitrary<Generated> = drawn((draw) => {
  const made: Made[] = [];
  const services = Array.from({ length: draw(fc.integer({ min: 1, max: 3 })) }, (_, index) =>
    service(draw, `service${index}`, made),
  );
  const definition = {
    app_name: draw(fc.constantFrom('shop', 'My-App_1.x')),
    services,
    ...maybe(draw, 'public_ports', fc.constant({ b: '1', a: 'x' })),
  };
  return { definition: respelled(draw, definition), components: made };
});

function service(draw: Draw, name: string, made: Made[]): Json {
  const count = draw(fc.integer({ min: 1, max: 4 }));
  const inPod = count >= 2 && draw(fc.boolean()) ? draw(fc.integer({ min: 2, max: count })) : 0;
  const podScale = draw(scale);
  const before = made.length;
  for (let index = 0; index < count; index += 1)
    made.push(component(draw, name, made, before, index < inPod ? `pod-${name}` : null, podScale));
  return {
    service_name: name,
    ...maybe(draw, 'scaling_policy', scale),
    components: made.slice(before).map((each) => each.json),
  };
}

function component(
  draw: Draw,
  service: string,
  made: readonly Made[],
  from: number,
  pod: string | null,
  podScale: Json,
): Made {
  const index = made.length;
  const name = draw(fc.constantFrom(`web${index}`, `Web_${index}`, `w.${index}`, `${'long'.repeat(20)}${index}`));
  const read = parts(draw, index);
  const owner = pod === null ? undefined : made.slice(from).find((each) => each.pod === pod && each.paths.length > 0);
  const mounted = volumes(draw, index, owner);
  const needed = draw(fc.subarray([...made.keys()].slice(-2)));
  const dependencies = needed.map((each) => dependency(draw, made[each], service, `l${index}-${each}`));
  return {
    service,
    name,
    ports: read.ports,
    env: read.env,
    hosts: read.hosts,
    mounts: mounted.mounts,
    links: dependencies.map((each) => each.link),
    pod,
    paths: mounted.paths,
    json: {
      ...read.json,
      component_name: name,
      volumes: mounted.json,
      dependencies: dependencies.map((each) => each.json),
      ...maybe(draw, 'scaling_policy', pod === null ? scale : fc.constantFrom(podScale, {})),
      ...(pod === null ? {} : { pod }),
    },
  };
}

function dependency(
  draw: Draw,
  target: Made | undefined,
  service: string,
  alias: string,
): { json: Json; link: string } {
  const number = target?.ports.at(-1) ?? 0;
  const full = `${target?.service}/${target?.name}`;
  return {
    json: {
      name: target?.service === service && draw(fc.boolean()) ? target.name : full,
      port: draw(port(number)),
      alias,
      ...maybe(draw, 'same_machine', fc.boolean()),
    },
    link: `${alias} ${full}:${number}`,
  };
}

const free = new Set(['env', 'domains', 'public_ports']);

/** Some of the keys in camel or upper case, or none. */
function respelled(draw: Draw, definition: Json): Json {
  if (draw(fc.boolean())) return definition;
  const spelling = draw(fc.constantFrom(camel, (key: string) => key.toUpperCase()));
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [spelling(key), free.has(key) ? item : walk(item)]),
    );
  };
  return walk(definition) as Json;
}

const camel = (key: string): string => key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
