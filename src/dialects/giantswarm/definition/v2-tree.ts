/** The tree of the later format: `/` in a component's name says whose child it is. A parent need not be written down. */
import { type Place, quoted } from './place.ts';

const name = /^[A-Za-z0-9][A-Za-z0-9_/-]{0,99}$/;

/** Throws WrongInput for what cannot name a component. */
export function checkNodeName(text: string, place: Place): void {
  if (!name.test(text) || !text.split('/').every((part) => /[A-Za-z0-9]/.test(part)))
    throw place.wrong(
      `${quoted(text)} must be at most 100 letters, digits, _ and -, in parts between / that each have a letter or digit`,
    );
}

export const parentOf = (node: string): string | null =>
  node.includes('/') ? node.slice(0, node.lastIndexOf('/')) : null;

export const isBelow = (node: string, ancestor: string): boolean => node.startsWith(`${ancestor}/`);

/** From the parent up to the root. */
export function ancestorsOf(node: string): readonly string[] {
  const parts = node.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, parts.length - 1 - index).join('/'));
}

/** The first part is the service; a root component has the service's name. */
export function serviceAndName(node: string): { service: string; name: string } {
  const end = node.indexOf('/');
  return end < 0 ? { service: node, name: node } : { service: node.slice(0, end), name: node.slice(end + 1) };
}

/** A component may reach what is below it, its siblings and the siblings of its ancestors. */
export const mayReach = (from: string, target: string): boolean =>
  isBelow(target, from) || [from, ...ancestorsOf(from)].some((each) => each !== target && isSibling(each, target));

const isSibling = (one: string, other: string): boolean => parentOf(one) === parentOf(other);
