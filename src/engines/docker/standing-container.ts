/** Containers of the platform's own that only have to be there: made when missing, made anew when they ended, whoever asks first. */
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

/** Unknown name: nothing to do. */
export async function removeContainer(api: DockerApi, name: string): Promise<void> {
  try {
    const query = { force: true, v: true };
    await api.call('DELETE', `/containers/${encodeURIComponent(name)}`, { query });
  } catch (error) {
    if (!isStatus(error, 404, 409)) throw error;
    if (isStatus(error, 409)) await gone(api, name);
  }
}

const goneMs = 60_000;

/** Another removal of it is going on. */
async function gone(api: DockerApi, name: string): Promise<void> {
  const path = `/containers/${encodeURIComponent(name)}/wait`;
  try {
    await api.call('POST', path, { query: { condition: 'removed' }, timeoutMs: goneMs });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
}
