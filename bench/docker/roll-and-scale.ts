/**
 * A platform on Docker beside a service of the same Swarm with the same images: from the release to the first answer of the new version, and
 * from scaling 1 → 5 until all five answer. In turns, on a daemon of its own. Prints medians; takes some minutes.
 */
import { missingForDocker } from '../../test/support/docker-daemon.ts';
import { startDockerPlatform } from '../../test/support/docker-platform.ts';
import { until } from '../../test/support/until.ts';
import { dockerCli } from '../support/docker-cli.ts';
import { median, round } from '../support/numbers.ts';
import { createBerthApp } from './berth-app.ts';
import type { Side, Version } from './side.ts';
import { createSwarmService, type Order } from './swarm-service.ts';

const rolls = 6;
const scalings = 4;
const many = 5;
const pollMs = 2;
const patienceMs = 120_000;

type Took = Record<'berth' | Order, number[]>;

const missing = missingForDocker();
if (missing === null) await measure();
else console.log(`skipped: ${missing}`);

async function measure(): Promise<void> {
  const endings: (() => Promise<void>)[] = [];
  try {
    const t = { after: (work: () => Promise<void>) => void endings.push(work) };
    const { daemon, platform } = await startDockerPlatform(t);
    const cli = dockerCli(daemon.host);
    const berth = await createBerthApp(platform, cli);
    const one = await berth.program();
    await timeOfMove(berth, 'two');
    const images = { one: one.image, two: (await berth.program()).image };
    await timeOfMove(berth, 'one');
    const service = await createSwarmService(cli, daemon.address, one);
    await until('the service answers', async () => (await service.answering()) === 1, patienceMs);
    const swarm = (order: Order): Side => ({
      ...service,
      update: (version) => service.update(images[version], order),
    });
    const sides = { berth, 'stop-first': swarm('stop-first'), 'start-first': swarm('start-first') };
    const roll: Took = { berth: [], 'stop-first': [], 'start-first': [] };
    for (let turn = 0; turn < rolls; turn += 1) {
      roll.berth.push(await timeOfMove(berth, turn % 2 === 0 ? 'two' : 'one'));
      // The service moves there and back, once in each way.
      const orders =
        turn % 2 === 0 ? (['stop-first', 'start-first'] as const) : (['start-first', 'stop-first'] as const);
      roll[orders[0]].push(await timeOfMove(sides[orders[0]], 'two'));
      roll[orders[1]].push(await timeOfMove(sides[orders[1]], 'one'));
    }
    const grow: Took = { berth: [], 'stop-first': [], 'start-first': [] };
    for (let turn = 0; turn < scalings; turn += 1) {
      grow.berth.push(await timeOfGrowth(berth));
      grow['stop-first'].push(await timeOfGrowth(sides['stop-first']));
    }
    await service.remove();
    print(roll, grow);
  } finally {
    for (const end of endings) await end();
  }
}

/** Milliseconds until the version answers; comes back when nothing is left of the other. */
async function timeOfMove(side: Side, version: Version): Promise<number> {
  const began = performance.now();
  await side.update(version);
  await until(`version ${version} answers`, () => side.serves(version), patienceMs, pollMs);
  const took = performance.now() - began;
  await until('the other version is gone', async () => (await side.containers()) === 1, patienceMs);
  return took;
}

/** Milliseconds until all answer; comes back when there is one again. */
async function timeOfGrowth(side: Side): Promise<number> {
  const began = performance.now();
  await side.scale(many);
  await until(`${many} answer`, async () => (await side.answering()) === many, patienceMs, pollMs);
  const took = performance.now() - began;
  await side.scale(1);
  await until('one is left', async () => (await side.containers()) === 1, patienceMs);
  return took;
}

function print(roll: Took, grow: Took): void {
  console.log(
    `a release → the first answer of the new version, medians of ${rolls}; 1 → ${many} → all answer, of ${scalings}`,
  );
  const row = (took: Took, name: keyof Took) => {
    const [own, beside] = [median(took.berth), median(took[name])];
    return { ms: round(beside), 'Berth ÷ it': round(own / beside, 2) };
  };
  console.table({
    'release, Berth through its router': row(roll, 'berth'),
    '`docker service update`, its own port': row(roll, 'stop-first'),
    'the same with --update-order start-first': row(roll, 'start-first'),
    [`scale 1 → ${many}, Berth through its router`]: row(grow, 'berth'),
    '`docker service scale`, their own ports': row(grow, 'stop-first'),
  });
}
