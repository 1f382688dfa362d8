/** Reads fields of bodies. */
import { Secret } from '../../core/ports/secret.ts';
import { invalidCredentials, wrongInput } from './errors.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field that must be a text with something in it. Throws 10013. */
export function textField(body: unknown, name: string): string {
  const value = isObject(body) ? body[name] : undefined;
  if (typeof value !== 'string' || value === '') throw wrongInput(`["${name}"]: must be a text`);
  return value;
}

/** Undefined where the body is empty or lacks the field. Throws 10013. */
export function optionalTextField(body: unknown, name: string): string | undefined {
  if (!isObject(body) || body[name] === undefined || body[name] === null) return undefined;
  return textField(body, name);
}

/**
 * A password comes as base64 of its UTF-8. A newline at its end is the mark of `echo` without `-n`, and refused rather than taken for a
 * part of it. Throws 10010 for that and for what is no base64 of text.
 */
export function passwordField(body: unknown, name: string): Secret {
  const encoded = isObject(body) ? body[name] : undefined;
  if (typeof encoded !== 'string' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) throw invalidCredentials();
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  if (/[\r\n]$/.test(text) || !Buffer.from(text, 'utf8').equals(bytes)) throw invalidCredentials();
  return new Secret(text);
}
