/** Which port the web process of an image has. Pure. */
import type { InstanceSpec } from '../../../core/ports/engine.ts';
import type { RunnableImage } from './runnable-images.ts';

/**
 * Most images listen on a port of their own and never look at `$PORT`. So where the engine may choose it takes what the app's config says
 * in PORT, else the lowest port that the image exposes; `$PORT` says the same. An artifact always listens where it is told.
 */
export function withImagePort(spec: InstanceSpec, { own, ports }: Pick<RunnableImage, 'own' | 'ports'>): InstanceSpec {
  if (own || spec.ports !== 'any') return spec;
  const said = Number(spec.environment.PORT?.reveal().trim() ?? '');
  const port = Number.isInteger(said) && said > 0 && said < 65_536 ? said : ports[0];
  return port === undefined ? spec : { ...spec, ports: [port] };
}
