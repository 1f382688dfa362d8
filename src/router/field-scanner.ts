/**
 * The strict reader of header fields, for requests, responses and trailers alike. What other parsers mend in different ways (bare line
 * feeds, spaces before a colon, folded lines, control characters) is refused here, so that no instance can read a message differently.
 */

/** Results below zero of `scanFields`. */
export const INCOMPLETE = -1;
export const MALFORMED = -2;
export const TOO_MANY = -3;

const CR = 13;
const LF = 10;
const COLON = 58;

/** Characters of a header name or a method (RFC 9110 token). */
const TOKEN = new Uint8Array(256);
/** Characters of a header value: visible ones, space, tab and bytes above 127. */
const VALUE = new Uint8Array(256);
for (let code = 0; code < 256; code++) {
  TOKEN[code] = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)) ? 1 : 0;
  VALUE[code] = code === 9 || (code >= 32 && code !== 127) ? 1 : 0;
}

/** Whether every character is a token character; an empty text is none. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (TOKEN[text.charCodeAt(at)] !== 1) return false;
  return text.length > 0;
}

/**
 * Reads fields from `from` up to the empty line. `text` holds one character per byte (latin1). Puts name, value, name, value … into `out`.
 * Gives the index after the empty line, or INCOMPLETE, MALFORMED, TOO_MANY.
 */
export function scanFields(text: string, from: number, maxCount: number, out: string[]): number {
  const end = text.length;
  let at = from;
  for (let count = 0; ; count++) {
    if (at >= end) return INCOMPLETE;
    if (text.charCodeAt(at) === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      return text.charCodeAt(at + 1) === LF ? at + 2 : MALFORMED;
    }
    if (count >= maxCount) return TOO_MANY;
    const nameStart = at;
    while (at < end && TOKEN[text.charCodeAt(at)] === 1) at++;
    if (at >= end) return INCOMPLETE;
    if (at === nameStart || text.charCodeAt(at) !== COLON) return MALFORMED;
    const nameEnd = at++;
    while (at < end && isBlank(text.charCodeAt(at))) at++;
    const valueStart = at;
    while (at < end && VALUE[text.charCodeAt(at)] === 1) at++;
    if (at >= end) return INCOMPLETE;
    if (text.charCodeAt(at) !== CR) return MALFORMED;
    if (at + 1 >= end) return INCOMPLETE;
    if (text.charCodeAt(at + 1) !== LF) return MALFORMED;
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
    out.push(text.slice(nameStart, nameEnd), text.slice(valueStart, valueEnd));
    at += 2;
  }
}

/** A Content-Length in digits, or -1 when it is anything else. */
export function parseLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
