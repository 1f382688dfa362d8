/** What tests of several machines do again and again: instances on each node, and questions to the machines themselves. */
import type { InstanceSpec } from '../../../src/core/ports/engine.ts';
import { drain } from '../../../src/engines/conformance/harness.ts';
import { command } from '../../support/system-command.ts';
import { until } from '../../support/until.ts';
import { find, type SwarmHarness, untilEmpty, untilReady, untilRunning } from './swarm-harness.ts';

export const everyone = ['node-1', 'node-2', 'node-3'];
export const patienceMs = 60_000;

export type SwarmScene = ReturnType<typeof swarmScene>;

/** `current`: of three machines; asked for at each use, for it is not there before the tests begin. */
export function swarmScene(current: () => SwarmHarness) {
  async function useAll(): Promise<void> {
    await current().engine.useNodes([1, 2, 3].map((number) => current().row(number)));
    await untilReady(current().engine, everyone);
  }
  const machine = (number: number) => {
    const found = current().machines[number - 1];
    if (found === undefined) throw new Error('no such machine');
    return found;
  };
  const api = (number: number, path: string, ...words: string[]): Promise<string> => {
    const socket = machine(number).unixHost.slice('unix://'.length);
    return command('curl', '-sf', '--max-time', '30', ...words, '--unix-socket', socket, `http://docker/v1.41${path}`);
  };
  const containersOn = (number: number): Promise<string> => api(number, '/containers/json?all=1');
  const info = async (number: number): Promise<{ Swarm: { LocalNodeState: string; NodeID: string } }> =>
    JSON.parse(await api(number, '/info'));
  /** None while the managers choose a leader. */
  const swarmNodes = (): Promise<readonly SwarmNode[]> => api(1, '/nodes').then(JSON.parse, () => []);
  const managers = async () =>
    (await swarmNodes()).filter(({ ManagerStatus }) => ManagerStatus?.Reachability === 'reachable');

  /** As the managers do with one that is away for a minute. */
  async function demoteFirst(): Promise<void> {
    // Somebody else may change it between the two.
    const tried = async (): Promise<true> => {
      const nodes: readonly SwarmNode[] = JSON.parse(await api(2, '/nodes'));
      const node = nodes.find(({ Spec }) => Spec.Labels['berth.node'] === 'node-1');
      const body = JSON.stringify({ ...node?.Spec, Role: 'worker' });
      const words = ['-X', 'POST', '-H', 'Content-Type: application/json', '-d', body];
      await api(2, `/nodes/${node?.ID}/update?version=${node?.Version.Index}`, ...words);
      return true;
    };
    await until('the first is no manager', () => tried().catch(never), patienceMs);
  }

  const statesOf = async (specs: ReadonlyMap<string, InstanceSpec>): Promise<readonly (string | undefined)[]> => {
    const all = await current().engine.list();
    return [...specs.values()].map((spec) => all.find(({ id }) => id === spec.id)?.state);
  };

  /**
   * One instance of a new app on each of these nodes, which must be all that are ready; resolves when they run. A node that did not answer just
   * then was given none, and it is tried again.
   */
  async function startOn(
    nodes: readonly string[],
    change: Partial<InstanceSpec> = {},
  ): Promise<ReadonlyMap<string, InstanceSpec>> {
    await useAll();
    const tried = async (): Promise<ReadonlyMap<string, InstanceSpec> | null> => {
      const specs = await startMany(nodes.length, change);
      const places = await nodesOf(specs);
      if (places.toSorted().join() === nodes.join()) return new Map(specs.map((spec, at) => [places[at] ?? '', spec]));
      await Promise.all(specs.map(({ id }) => current().engine.remove(id)));
      return null;
    };
    return until(`one runs on each of ${nodes.join(', ')}`, tried, patienceMs);
  }

  async function startMany(count: number, change: Partial<InstanceSpec> = {}): Promise<readonly InstanceSpec[]> {
    const { appId } = current().spec();
    const specs = Array.from({ length: count }, () => current().spec({ appId, ...change }));
    await Promise.all(specs.map((spec) => current().engine.start(spec)));
    await Promise.all(specs.map((spec) => untilRunning(current().engine, spec)));
    return specs;
  }

  /** False while it cannot be said, which may be so for moments around a loss. */
  const isUnlisted = (id: string): Promise<boolean> =>
    find(current().engine, id).then(
      (found) => found === undefined,
      () => false,
    );

  const nodesOf = async (specs: readonly (InstanceSpec | undefined)[]): Promise<string[]> => {
    const all = await current().engine.list();
    return specs.map((spec) => all.find(({ id }) => id === spec?.id)?.nodeId ?? '');
  };

  const removeAll = async (specs: readonly InstanceSpec[]): Promise<void> => {
    await Promise.all(specs.map(({ id }) => current().engine.remove(id)));
    await untilEmpty(current().engine);
  };

  async function ask(id: string, words: readonly string[]): Promise<readonly string[]> {
    const session = await current().engine.exec(id, { command: ['node', 'ask.js', ...words] });
    return String(await drain(session.stdout))
      .trim()
      .split('\n');
  }

  return {
    ...{ useAll, machine, api, containersOn, info, swarmNodes, managers, demoteFirst },
    ...{ statesOf, startOn, startMany, nodesOf, isUnlisted, removeAll, ask },
  };
}

const never = (): null => null;

interface SwarmNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Labels: Readonly<Record<string, string>> };
  readonly ManagerStatus?: { readonly Reachability: string };
}
