/** Names of interfaces and namespaces: at most 15 characters, that is all the kernel allows. */
import { processPrefix } from '../../common/instance-interfaces.ts';

/** What all names of an install begin with: 9 characters. */
export const prefixOf = (installId: string): string => `${processPrefix}${installId.slice(0, 6)}`;

const code = (number: number, width: number): string => number.toString(36).padStart(width, '0');

/** The network that a space's instances share: namespace and the host's end. */
export const sharedName = (prefix: string, space: number): string => `${prefix}n${space}`;

/** The host's ends of all own networks of a space begin with it, so that one rule speaks of all of them. */
export const ownPrefix = (prefix: string, space: number): string => `${prefix}s${code(space, 2)}`;

export const ownName = (prefix: string, space: number, place: number): string =>
  `${ownPrefix(prefix, space)}${code(place, 3)}`;

/** The host's end of a network that nobody has yet. */
export const stockName = (prefix: string, place: number): string => `${prefix}f${code(place, 3)}`;

export const ownNamespace = (prefix: string, place: number): string => `${prefix}o${code(place, 3)}`;
