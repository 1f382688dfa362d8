/** Where the platform's machine can be reached: no app may reach it there, whatever machine the app runs on. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** Interfaces that the process engine makes for its apps; they come and go, and nothing outside is led to them. */
const ofApps = /^bth/;

/** IPv4 addresses but for the loopback's, as they are now. */
export function ownAddresses(
  interfaces: NodeJS.Dict<
    readonly Pick<NetworkInterfaceInfo, 'address' | 'family' | 'internal'>[]
  > = networkInterfaces(),
): readonly string[] {
  return Object.entries(interfaces)
    .filter(([name]) => !ofApps.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
