/** Containers of the platform's own that only have to be there: made when missing, made anew when they ended, whoever asks first. */
import { setTimeout as delay } from 'node:timers/promises';
import type { DockerApi } from './api/docker-api.ts';
import { isStatus } from './api/docker-error.ts';
import type { ContainerDetails } from './api/shapes.ts';

/** Null when there is none. */
export async function inspectContainer(api: DockerApi, name: string): Promise<ContainerDetails | null> {
  try {
    return await api.call<ContainerDetails>('GET', `/containers/${encodeURIComponent(name)}/json`);
  } catch (error) {
    if (isStatus(error, 404)) return null;
    throw error;
  }
}

/** Resolves when a container of this name runs; `body` is asked for when it must be made. */
export async function ensureRunning(
  api: DockerApi,
  name: string,
  body: () => Promise<object>,
): Promise<ContainerDetails> {
  const path = `/containers/${encodeURIComponent(name)}`;
  for (let tries = 0; ; tries++) {
    const found = await inspectContainer(api, name);
    if (found?.State.Running === true) return found;
    try {
      // One that ended may not start again after its shim was killed; there is nothing in it to keep.
      if (found !== null && found.State.Status !== 'created') await removeContainer(api, found.Id);
      if (found?.State.Status !== 'created')
        await api.call('POST', '/containers/create', { query: { name }, body: await body() });
      await api.call('POST', `${path}/start`);
    } catch (error) {
      // Somebody else made it, or took it away, in between.
      if (!isStatus(error, 404, 409) || tries >= 5) throw error;
    }
    if (tries > 10) throw new Error(`the container ${name} does not stay up`);
  }
}

const removeTries = 40;
const removeAgainMs = 100;

/** Unknown name: nothing to do. Resolves when it is gone, whoever took it away. */
export async function removeContainer(api: DockerApi, name: string): Promise<void> {
  const query = { force: true, v: true };
  for (let tries = 1; ; tries++) {
    try {
      await api.call('DELETE', `/containers/${encodeURIComponent(name)}`, { query });
      return;
    } catch (error) {
      if (isStatus(error, 404)) return;
      // It is being removed already, or ended in this very moment.
      if (!isStatus(error, 409) || tries >= removeTries) throw error;
      await delay(removeAgainMs);
    }
  }
}
