/** An app of two versions on a platform with Docker: one of the two sides that are measured. */
import { appIs, buildImage, swarmOf, unique, visit } from '../../test/conformance/giantswarm/swarm.ts';
import type { TestPlatform } from '../../test/support/platform.ts';
import { versionedApp } from '../../test/support/source.ts';
import type { DockerCli } from '../support/docker-cli.ts';
import type { Program, Side, Version } from './side.ts';

const visits = 10;

export interface BerthApp extends Side {
  /** What its only container runs. */
  program(): Promise<Program>;
}

interface Container {
  /** The image's id. */
  readonly Image: string;
  readonly Config: {
    readonly Env: readonly string[];
    readonly Cmd: readonly string[];
    readonly WorkingDir: string;
    readonly User: string;
  };
}

/** Serves version `one` by one instance when this resolves. `cli` is of the daemon that the platform uses. */
export async function createBerthApp(platform: TestPlatform, cli: DockerCli): Promise<BerthApp> {
  const swarm = swarmOf(platform, platform.token);
  const image = await buildImage(platform, unique('moving'), {
    one: versionedApp('one', 'bench-docker'),
    two: versionedApp('two', 'bench-docker'),
  });
  const name = unique('roll');
  const domain = `${name}.example.com`;
  const path = `/org/main/env/dev/app/${name}`;
  const component = {
    ...{ component_name: 'web', image: `${image}:one`, ports: [80], domains: { [domain]: 80 } },
    scaling_policy: { min: 1, max: 10 },
  };
  await swarm('POST', '/org/main/env/dev/app/', {
    app_name: name,
    services: [{ service_name: 's', components: [component] }],
  });
  await swarm('POST', `${path}/start`);
  await appIs(swarm, path, 'up');
  const own = `${path}/service/s/component/web`;
  const names = async (): Promise<readonly string[]> =>
    (await cli.docker('ps', '--all', '--format', '{{.Names}} {{.Image}}'))
      .split('\n')
      .flatMap((line) => /^(\S+) berth-app:/.exec(line)?.[1] ?? []);
  let quantity = 1;
  const answers = (count: number) => Promise.all(Array.from({ length: count }, () => visit(platform, domain)));
  return {
    update: async (version: Version) => void (await swarm('POST', `${own}/version/${version}/update`, {})),
    async scale(wanted) {
      const by = wanted - quantity;
      quantity = wanted;
      await swarm('POST', `${own}/${by > 0 ? 'scaleup' : 'scaledown'}/${Math.abs(by)}`);
    },
    serves: async (version) => (await answers(1)).every(({ body }) => body.includes(`"${version}"`)),
    answering: async () =>
      new Set((await answers(visits)).filter(({ status }) => status === 200).map(({ body }) => body)).size,
    containers: async () => (await names()).length,
    async program() {
      const { Image, Config } = await cli.read<Container>(`/containers/${(await names())[0]}/json`);
      return {
        image: Image,
        variables: Config.Env.filter((each) => !each.startsWith('PORT=')),
        command: Config.Cmd,
        folder: Config.WorkingDir,
        user: Config.User,
      };
    },
  };
}
