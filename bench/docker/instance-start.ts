/**
 * One instance by the Docker engine, from being asked for to running, beside `docker run` of the same image with the same limits on the same
 * overlay and on Docker's bridge. In turns, on a daemon of its own. Prints medians; takes a minute.
 */
import { specFor, untilState } from '../../src/engines/conformance/harness.ts';
import { type DockerHarness, dockerHarness } from '../../test/engines/support/docker-harness.ts';
import { missingForDocker } from '../../test/support/docker-daemon.ts';
import { type DockerCli, dockerCli } from '../support/docker-cli.ts';
import { median, round } from '../support/numbers.ts';

const turns = 12;

const missing = missingForDocker();
if (missing === null) await measureStarts();
else console.log(`skipped: ${missing}`);

async function measureStarts(): Promise<void> {
  const harness = await dockerHarness();
  const cli = dockerCli(harness.daemon.host);
  const took = { berth: [] as number[], overlay: [] as number[], bridge: [] as number[] };
  try {
    const standing = specFor(harness, 'serve.js');
    await harness.engine.start(standing);
    await untilState(harness.engine, standing.id, 'running');
    const { words, network } = await whatRuns(cli, standing.id);
    const ways = [
      async () => took.berth.push(await engineStart(harness)),
      async () => took.overlay.push(await plainRun(cli, words, network)),
      async () => took.bridge.push(await plainRun(cli, words, 'bridge')),
    ];
    for (let turn = 0; turn < turns; turn += 1) {
      // Each comes after each of the others as often: what is removed keeps the daemon busy for a while.
      for (const [at] of ways.entries()) await ways[(at + turn) % ways.length]?.();
      ways.reverse();
    }
    print(took);
  } finally {
    await harness.close();
  }
}

async function engineStart(harness: DockerHarness): Promise<number> {
  const spec = specFor(harness, 'serve.js');
  const took = await timed(async () => {
    await harness.engine.start(spec);
    await untilState(harness.engine, spec.id, 'running');
  });
  await harness.engine.remove(spec.id);
  return took;
}

interface Running {
  readonly Config: { readonly Image: string; readonly Env: readonly string[]; readonly Cmd: readonly string[] };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, unknown>> };
}

/** The words of `docker run` for the same program as an instance of the engine runs. */
async function whatRuns(
  cli: DockerCli,
  id: string,
): Promise<{ readonly words: readonly string[]; readonly network: string }> {
  const name = await cli.docker('ps', '--format', '{{.Names}}', '--filter', `name=${id}`);
  const { Config, NetworkSettings } = await cli.read<Running>(`/containers/${name}/json`);
  const variables = Config.Env.flatMap((each) => ['--env', each]);
  return {
    words: [...variables, Config.Image, ...Config.Cmd],
    network: Object.keys(NetworkSettings.Networks)[0] ?? 'bridge',
  };
}

async function plainRun(cli: DockerCli, words: readonly string[], network: string): Promise<number> {
  const limits = [
    '--memory',
    '256m',
    '--pids-limit',
    '100',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
  ];
  let id = '';
  const took = await timed(async () => {
    id = await cli.docker('run', '--detach', '--network', network, ...limits, ...words);
  });
  await cli.docker('rm', '--force', id);
  return took;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function print({ berth, overlay, bridge }: Readonly<Record<'berth' | 'overlay' | 'bridge', readonly number[]>>): void {
  const [own, onOverlay, onBridge] = [median(berth), median(overlay), median(bridge)];
  console.log(`start of an instance by the Docker engine, asked for → running; medians of ${turns}`);
  console.table({
    'Berth, on the overlay of its space': { ms: round(own), 'Berth ÷ it': 1 },
    '`docker run`, on the same overlay': { ms: round(onOverlay), 'Berth ÷ it': round(own / onOverlay, 2) },
    '`docker run`, on the bridge': { ms: round(onBridge), 'Berth ÷ it': round(own / onBridge, 2) },
  });
}
