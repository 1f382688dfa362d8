/** A definition for an app that was made without one, so that `GET config` has something true to show. */
import type { JsonObject } from './definition.ts';
import { isDomain } from './domains.ts';
import { byKey, compact } from './fields.ts';

export interface SynthesisedApp {
  readonly name: string;
  readonly processes: readonly {
    readonly type: string;
    /** As `imageReference` reads it. */
    readonly image: string;
    readonly ports: readonly number[];
    readonly domains: readonly { readonly hostname: string; readonly port: number }[];
    readonly quantity: number;
  }[];
}

const maxInstances = 10;

/**
 * A definition in the first format: a service with the app's name, a component for each process type (a type with a `/` names its own
 * service). What the format cannot say is left out: wildcard domains, domains of ports that the process does not list, no instances.
 */
export function synthesise(app: SynthesisedApp): JsonObject {
  const services = new Map<string, JsonObject[]>();
  for (const process of app.processes) {
    const [first = '', second] = process.type.split('/');
    const service = second === undefined ? app.name : first;
    services.set(service, [...(services.get(service) ?? []), componentOf(second ?? first, process)]);
  }
  return {
    app_name: app.name,
    services: [...services].map(([name, components]) => ({ service_name: name, components })),
  };
}

function componentOf(name: string, process: SynthesisedApp['processes'][number]): JsonObject {
  const domains = process.domains.filter(({ hostname, port }) => isDomain(hostname) && process.ports.includes(port));
  const min = Math.min(process.quantity, maxInstances);
  return compact([
    ['component_name', name],
    ['scaling_policy', min > 1 ? { min } : undefined],
    ['image', process.image],
    ['ports', process.ports],
    ['domains', Object.fromEntries(domains.map(({ hostname, port }) => [hostname, port] as const).toSorted(byKey))],
  ]);
}
