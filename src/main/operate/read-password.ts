/** A password that somebody gives a command: by the environment or standard input, never as an argument, which every process sees. */
import { BerthError } from '../../core/errors.ts';
import { Secret } from '../../core/ports/secret.ts';

const maxBytes = 64 * 1024;
/** What keys send to a program that reads a terminal as it is: Ctrl-C; Enter and Ctrl-D; Backspace. */
const interrupt = '\u0003';
const ends = new Set(['\r', '\n', '\u0004']);
const erases = new Set(['\u007f', '\b']);

/** `variable` of the environment, else the first line of standard input; a terminal does not show it. Throws invalid `password`. */
export async function readPassword(variable: string, say: (text: string) => void): Promise<Secret> {
  const given = process.env[variable];
  const text = given ?? (process.stdin.isTTY ? await typed(say) : await piped());
  if (text === '')
    throw new BerthError('invalid', `the password is missing: give it by standard input or ${variable}`, {
      field: 'password',
    });
  return new Secret(text);
}

async function piped(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes('\n') || text.length > maxBytes) break;
  }
  return lineOf(text);
}

async function typed(say: (text: string) => void): Promise<string> {
  say('Password (not shown):');
  process.stdin.setRawMode(true);
  try {
    let text = '';
    for await (const chunk of process.stdin) {
      for (const character of String(chunk)) {
        if (character === interrupt) throw new BerthError('cancelled', 'nothing was set');
        if (ends.has(character)) return text;
        text = erases.has(character) ? text.slice(0, -1) : text + character;
      }
      if (text.length > maxBytes) return text;
    }
    return text;
  } finally {
    process.stdin.setRawMode(false);
  }
}

const lineOf = (text: string): string => text.split(/\r?\n/, 1)[0] ?? '';
