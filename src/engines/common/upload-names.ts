/** Names of files that a one-off is given: one path segment each. */
import type { InstanceSpec } from '../../core/ports/engine.ts';

export type Uploads = NonNullable<InstanceSpec['uploads']>;

/** Where a one-off finds them. */
export const uploadsFolder = '/tmp/uploads';

const nameForm = /^(?!\.{1,2}$)[^/\0]{1,255}$/;

/** Why they cannot be given, in words for the app's owner; null when they can. */
export function uploadRefusal(uploads: Uploads): string | null {
  return uploads.every(({ name }) => nameForm.test(name)) ? null : 'an uploaded file has a name that none can have';
}
