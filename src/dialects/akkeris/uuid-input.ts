import { unprocessable } from './errors.ts';

/** Ids of builds and releases: any UUID of version 1 to 5. Throws a 422 refusal. */
export function uuidInput(value: string): string {
  const lower = value.toLowerCase();
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(lower))
    throw unprocessable('The specified uuid was invalid.');
  return lower;
}
