/** Where the platform's machine can be reached: no app may reach it there, whatever machine the app runs on. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { processPrefix } from '../engines/common/instance-interfaces.ts';

/** IPv4 addresses but for the loopback's, as they are now. */
export function ownAddresses(
  interfaces: NodeJS.Dict<
    readonly Pick<NetworkInterfaceInfo, 'address' | 'family' | 'internal'>[]
  > = networkInterfaces(),
): readonly string[] {
  return Object.entries(interfaces)
    .filter(([name]) => !isOfApps(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}

/** They come and go, and nothing outside is led to them. */
const isOfApps = (name: string): boolean => name.startsWith(processPrefix);
