/** A whole platform whose apps are containers of a Docker daemon of its own. */
import type { TestContext } from 'node:test';
import { type DockerDaemon, startDockerDaemon } from './docker-daemon.ts';
import { type PlatformOptions, startPlatform, type TestPlatform } from './platform.ts';

/** The settings with which a platform on this machine uses that daemon. */
export const dockerSettings = (daemon: DockerDaemon): Readonly<Record<string, string>> => ({
  BERTH_ENGINE: 'docker',
  BERTH_DOCKER_HOST: daemon.host,
  BERTH_DOCKER_ADDRESS_POOL: daemon.addressPool,
  BERTH_DOCKER_ADVERTISE_ADDRESS: daemon.address,
  BERTH_DOCKER_ROUTERS: daemon.hostAddress,
});

/** Both end with the test, the daemon last. */
export async function startDockerPlatform(
  t: TestContext | { after(work: () => Promise<void>): void },
  options: PlatformOptions = {},
): Promise<{ readonly daemon: DockerDaemon; readonly platform: TestPlatform }> {
  const daemon = await startDockerDaemon();
  const endings: (() => Promise<void>)[] = [() => daemon.close()];
  t.after(async () => {
    for (const end of endings.reverse()) await end();
  });
  const platform = await startPlatform(
    { after: (work: () => Promise<void>) => void endings.push(work) },
    { ...options, environment: { ...dockerSettings(daemon), ...options.environment } },
  );
  return { daemon, platform };
}
