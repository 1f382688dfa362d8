/**
 * Domains: `name → port(s)` or `port → name(s)`, one direction in a component. A name leads to one port, which is among the component's.
 * Nothing is routed that is not listed; whether another app has a name is for the core to say.
 */
import type { DomainDefinition, JsonObject, JsonValue } from './definition.ts';
import { byKey, fewOf, objectOf, textOf } from './fields.ts';
import { type Place, quoted } from './place.ts';
import { looksLikePort, type ReadPort, readPort } from './ports.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** The last label is all letters, or letters in another script as their ASCII form. */
const hostname = new RegExp(`^(?:${label}\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$`);

export interface ReadDomains {
  readonly domains: readonly DomainDefinition[];
  readonly json: JsonObject;
}

/** Shown as given. */
export function readDomains(value: unknown, place: Place, ports: readonly number[]): ReadDomains {
  const entries = Object.entries(objectOf(value, place)).toSorted(byKey);
  fewOf(entries, place);
  const directions = new Set(entries.map(([key]) => looksLikePort(key)));
  if (directions.size > 1) throw place.wrong('has names and ports as keys: only one of them is allowed');
  const read = entries.map(([key, item]) =>
    looksLikePort(key) ? namesOf(key, item, place.at(key), ports) : portsOf(key, item, place.at(key), ports),
  );
  const domains = read.flatMap((each) => each.domains).toSorted((a, b) => byKey([a.hostname, a], [b.hostname, b]));
  return { domains, json: Object.fromEntries(read.map((each) => [each.key, each.json])) };
}

/** Shown as `"<port>/tcp": [names]`, which is how the later format gives them out. */
export function readDomainsByPort(value: unknown, place: Place, ports: readonly number[]): ReadDomains {
  const { domains } = readDomains(value, place, ports);
  const numbers = [...new Set(domains.map((domain) => domain.port))].toSorted((a, b) => a - b);
  const json = numbers.map((port) => [
    `${port}/tcp`,
    domains.filter((domain) => domain.port === port).map((domain) => domain.hostname),
  ]);
  return { domains, json: Object.fromEntries(json) };
}

/** Throws where two components, or two entries of one, have the same name. */
export function checkDomainsOnce(
  components: readonly { readonly place: Place; readonly domains: readonly DomainDefinition[] }[],
): void {
  const seen = new Set<string>();
  for (const { place, domains } of components)
    for (const { hostname: name } of domains) {
      if (seen.has(name)) throw place.at('domains').wrong(`the domain ${quoted(name)} is given more than once`);
      seen.add(name);
    }
}

/** Whether a name could stand in a definition. */
export const isDomain = (name: string): boolean => name.length <= 253 && hostname.test(name);

interface Entry {
  readonly key: string;
  readonly json: JsonValue;
  readonly domains: readonly DomainDefinition[];
}

function namesOf(key: string, item: unknown, place: Place, ports: readonly number[]): Entry {
  const port = allowedPort(key, place, ports);
  if (!Array.isArray(item)) {
    const name = textOf(item, place);
    return { key, json: name, domains: [{ hostname: hostnameOf(name, place), port: port.number }] };
  }
  if (item.length === 0) throw place.wrong('must have a domain');
  const names = fewOf(item, place).map((each, index) => textOf(each, place.at(index)));
  const domains = names.map((name, index) => ({ hostname: hostnameOf(name, place.at(index)), port: port.number }));
  return { key, json: names, domains };
}

function portsOf(key: string, item: unknown, place: Place, ports: readonly number[]): Entry {
  const name = hostnameOf(key, place);
  const given = Array.isArray(item) ? fewOf(item, place) : [item];
  const read = given.map((each, index) => allowedPort(each, Array.isArray(item) ? place.at(index) : place, ports));
  const [first, ...others] = new Set(read.map((port) => port.number));
  if (first === undefined) throw place.wrong('must have a port');
  if (others.length > 0) throw place.wrong('a domain leads to one port only');
  const shown = read.map((port) => port.json);
  return { key, json: Array.isArray(item) ? shown : (shown[0] ?? first), domains: [{ hostname: name, port: first }] };
}

function allowedPort(value: unknown, place: Place, ports: readonly number[]): ReadPort {
  const port = readPort(value, place);
  if (!ports.includes(port.number)) throw place.wrong(`the port ${port.number} is not among the component's ports`);
  return port;
}

function hostnameOf(text: string, place: Place): string {
  const name = text.toLowerCase();
  if (/:\d*$/.test(name)) throw place.wrong(`${quoted(text)} must be a domain without a port`);
  if (!isDomain(name)) throw place.wrong(`${quoted(text)} is not a valid domain`);
  return name;
}
