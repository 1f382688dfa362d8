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
  for (let tries = 1; ; tries++) {
    const found = await inspectContainer(api, name);
    if (found?.State.Running === true) return found;
    try {
      // One that ended may not start again after its shim was killed; there is nothing in it to keep.
      const isFresh = found?.State.Status === 'created' && found.State.Error === '';
      if (found !== null && !isFresh) await removeContainer(api, found.Id);
      if (!isFresh) await api.call('POST', '/containers/create', { query: { name }, body: await body() });
      await api.call('POST', `/containers/${encodeURIComponent(name)}/start`);
    } catch (error) {
      // Somebody else made it, started it or took it away in between; or the daemon just came up and its networks are not settled yet.
      if (!isStatus(error, 304, 404, 409, 500) || tries >= ensureTries) throw error;
      await delay(ensureAgainMs * tries);
    }
    if (tries > ensureTries) throw new Error(`the container ${name} does not stay up`);
  }
}

const ensureTries = 6;
const ensureAgainMs = 50;
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
