/** A definition as the processes and domains that the core knows. */
import type { CreateApp } from '../../core/apps/create-app.ts';
import type { ParsedDefinition } from './definition/definition.ts';

/**
 * Nothing is routed unless a domain says so; but the first component with a domain also answers at the app's default host, which every app
 * here has.
 */
export function coreProcesses({ components }: ParsedDefinition): Required<Pick<CreateApp, 'processes' | 'domains'>> {
  const front = components.find((component) => component.domains.length > 0)?.type;
  return {
    processes: components.map((component) => ({
      type: component.type,
      image: component.image.text,
      entrypoint: component.entrypoint,
      arguments: component.args,
      environment: component.env,
      quantity: component.min,
      ports: component.ports,
      routed: component.type === front,
      pod: component.pod,
      mounts: component.mounts.map(({ path, sizeBytes, shared, from }) => ({
        path,
        sizeBytes,
        shared,
        from: from === null ? null : { processType: from.type, path: from.path },
      })),
      links: component.links.map(({ name, type, port }) => ({ name, processType: type, port })),
    })),
    domains: components.flatMap(({ type, domains }) =>
      domains.map(({ hostname, port }) => ({ hostname, target: { processType: type, port } })),
    ),
  };
}
