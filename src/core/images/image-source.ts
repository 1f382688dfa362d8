/** Sources of builds that are images: `[user:password@]reference`. Pure. */
import type { RegistryCredentials } from '../ports/images.ts';
import { Secret } from '../ports/secret.ts';

/** What stands before an `@` in front of the first slash is who signs in; parts of it may be percent-encoded. */
export function splitCredentials(text: string): {
  readonly reference: string;
  readonly own: RegistryCredentials | null;
} {
  const [, username, password, reference] = /^([^/@:]+):([^/@]+)@(.+)$/.exec(text) ?? [];
  if (username === undefined || password === undefined || reference === undefined || isDigest(reference))
    return { reference: text, own: null };
  return { reference, own: { username: decoded(username), password: new Secret(decoded(password)) } };
}

/** In `name:tag@sha256:…` nobody signs in. */
const isDigest = (text: string): boolean => /^sha256:[0-9a-f]{64}$/.test(text);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
