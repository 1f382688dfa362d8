/** Random definitions in the later format, all of them right, with what must be read from them. */
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
  readonly node: string;
  readonly json: Json;
  readonly paths: readonly string[];
}
/** A node that exposes the first port of one of its children. */
interface Front {
  readonly node: string;
  readonly behind: Made;
}

export const v2Definitions: fc.Arbitrary<Generated> = drawn((draw) => {
  const made: Made[] = [];
  const fronts: Front[] = [];
  const configuration: Record<string, Json> = {};
  const roots = draw(fc.integer({ min: 1, max: 3 }));
  for (let root = 0; root < roots; root += 1) {
    if (draw(fc.boolean())) made.push(leaf(draw, `root${root}`, made, fronts, null, {}));
    else grow(draw, `tree${root}`, made, fronts, configuration);
  }
  const components = Object.fromEntries(
    draw(fc.shuffledSubarray(made, { minLength: made.length })).map((each) => [each.node, each.json]),
  );
  const content: Json = {
    ...maybe(draw, 'name', fc.constantFrom('shop', 'My-App_1.x', '')),
    [draw(fc.constantFrom('components', 'nodes'))]: { ...components, ...configuration },
  };
  return { definition: draw(fc.boolean()) ? { definition: content } : content, components: made };
});

/** A root that only configures, with leaves below it, some of them deeper. */
function grow(draw: Draw, root: string, made: Made[], fronts: Front[], configuration: Record<string, Json>): void {
  const count = draw(fc.integer({ min: 2, max: 4 }));
  const pod = draw(fc.constantFrom('none', 'children', 'inherit', undefined));
  const deep = pod !== 'children' && draw(fc.boolean());
  const podScale = draw(scale);
  const before = made.length;
  for (let index = 0; index < count; index += 1) {
    const node = deep && index > 0 ? `${root}/part/leaf${index}` : `${root}/leaf${index}`;
    made.push(leaf(draw, node, made, fronts, pod === 'children' || pod === 'inherit' ? root : null, podScale));
  }
  const behind = made[before];
  const exposes = behind !== undefined && draw(fc.boolean());
  if (exposes) fronts.push({ node: root, behind });
  configuration[root] = {
    ...(pod === undefined ? {} : { pod }),
    ...maybe(draw, 'scale', scale),
    ...(exposes ? { expose: [expose(draw, behind)] } : {}),
  };
}

const expose = (draw: Draw, behind: Made): Json => ({
  port: draw(port(behind.ports[0] ?? 0)),
  component: behind.node,
  ...maybe(draw, 'target_port', port(behind.ports[0] ?? 0)),
});

function leaf(
  draw: Draw,
  node: string,
  made: readonly Made[],
  fronts: readonly Front[],
  pod: string | null,
  podScale: Json,
): Made {
  const index = made.length;
  const [service = '', ...rest] = node.split('/');
  const read = parts(draw, index);
  const owner = made.find((each) => pod !== null && each.pod === pod && each.paths.length > 0);
  const mounted = volumes(draw, index, owner && { name: owner.node, paths: owner.paths });
  const targets = [
    ...made.filter((each) => isNear(node, each.node)).map((each) => ({ node: each.node, behind: each })),
    ...fronts.filter((each) => isNear(node, each.node)),
  ];
  const links = draw(fc.subarray(targets.slice(-2))).map(({ node: component, behind }, each) => {
    const number = behind.ports[0] ?? 0;
    return {
      json: { component, target_port: draw(port(number)), alias: `l${index}-${each}` },
      link: `l${index}-${each} ${behind.service}/${behind.name}:${number}`,
    };
  });
  return {
    node,
    service,
    name: rest.length === 0 ? service : rest.join('/'),
    ports: read.ports,
    env: read.env,
    hosts: read.hosts,
    mounts: mounted.mounts,
    links: links.map((each) => each.link),
    pod,
    paths: mounted.paths,
    json: {
      ...read.json,
      volumes: mounted.json,
      links: links.map((each) => each.json),
      ...maybe(draw, 'scale', pod === null ? scale : fc.constant(podScale)),
      ...maybe(draw, 'signal-ready', fc.boolean()),
    },
  };
}

/** A target whose parent is above (or beside) the node; roots are beside each other. */
function isNear(node: string, target: string): boolean {
  const parent = target.includes('/') ? target.slice(0, target.lastIndexOf('/') + 1) : '';
  return node !== target && node.startsWith(parent) && !node.startsWith(`${target}/`);
}
