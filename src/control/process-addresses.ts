import { type Address, addressOf } from '../core/instances/address.ts';
import type { Instance } from '../core/instances/instance.ts';
import { linkTarget } from '../core/instances/link-target.ts';
import type { RoutedRows } from './routed-rows.ts';

export interface InstanceAddress extends Address {
  readonly instance: Instance;
}

/** Finds where the ready instances of a process are reached on a port (null: its first), in the order of the rows. */
export type ProcessAddresses = (appId: string, type: string, port: number | null) => readonly InstanceAddress[];

export function processAddresses({ instances, ports }: Pick<RoutedRows, 'instances' | 'ports'>): ProcessAddresses {
  const byProcess = Map.groupBy(instances, (instance) => linkTarget(instance.appId, instance.processType));
  const declared = new Map(ports.map((process) => [linkTarget(process.appId, process.type), process.ports]));
  return (appId, type, port) => {
    const process = linkTarget(appId, type);
    return (byProcess.get(process) ?? []).flatMap((instance) => {
      const address = addressOf(instance, declared.get(process) ?? [], port);
      return address === null ? [] : [{ instance, ...address }];
    });
  };
}
