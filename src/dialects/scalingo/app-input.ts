/** The rules of this API for what an app is called; the first message is the documents'. */
import { unprocessable } from './errors.ts';

const MIN = 6;
/** 32 at first, more later. */
const MAX = 48;
/** Where this API has another route. */
const reserved = new Set(['collaboration']);

/** Throws 422 with all that is wrong under `field`. */
export function nameInput(name: string | undefined, field = 'name'): string {
  if (name === undefined || name === '') throw unprocessable(field, "can't be blank");
  const texts: string[] = [];
  if (!/^[a-z0-9-]+$/.test(name)) texts.push('should contain only lowercap letters, digits and hyphens');
  else if (/^-|-$|--/.test(name)) texts.push('should not begin or end with a hyphen, nor contain two in a row');
  if (name.length < MIN) texts.push(`is too short (minimum is ${MIN} characters)`);
  if (name.length > MAX) texts.push(`is too long (maximum is ${MAX} characters)`);
  if (reserved.has(name)) texts.push('is reserved');
  if (texts.length > 0) throw unprocessable(field, ...texts);
  return name;
}

/** Names the app once more where a mistake would be bad. Throws 422 `current_name`. */
export function checkCurrentName(given: string | undefined, name: string): void {
  if (given !== name) throw unprocessable('current_name', 'should be the name of the application');
}
