/** In `socs` spaces a config var's value is hidden when its name or its URL says that it is a secret. Pure. */

const secretWords = ['PASS', 'KEY', 'SECRET', 'PRIVATE', 'TOKEN', 'SALT', 'AUTH', 'HASH'];
const REDACTED = '[redacted]';
const secretParameters =
  /([?&](?:password|pwd|access_token|refresh_token|token|client_secret|circle-token)=)[^&#\s]*/gi;

export function redact(name: string, value: string): string {
  if (secretWords.some((word) => name.toUpperCase().includes(word))) return REDACTED;
  return value
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s/@]+(?=@)/gi, `$1${REDACTED}`)
    .replace(secretParameters, `$1${REDACTED}`);
}
