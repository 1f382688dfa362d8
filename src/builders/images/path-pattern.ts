/**
 * Patterns of paths with `*`, `?`, `**` and sets, held against a path in one go: the time is that of the pattern's length by the path's,
 * whatever somebody writes. Regular expressions take for ever over some patterns. Pure.
 */

/** Whether the pattern fits the path, or a folder that it lies in. */
export type PathPattern = (path: string) => boolean;

type Token =
  /** One character. */
  | { readonly kind: 'one'; readonly fits: (character: string) => boolean }
  /** Any number of them: within a name, or of whole paths. */
  | { readonly kind: 'some'; readonly fits: (character: string) => boolean }
  /** Any number of folders above, each with its slash. */
  | { readonly kind: 'folders' };

/** Throws SyntaxError for a set without an end, or one that is none. */
export function pathPattern(pattern: string): PathPattern {
  const tokens = tokensOf(pattern);
  return (path) => {
    const characters = [...path];
    let states = withSkipped(tokens, [0]);
    for (const character of characters) {
      if (character === '/' && states.has(endOf(tokens))) return true;
      states = withSkipped(
        tokens,
        [...states].flatMap((state) => after(tokens, state, character)),
      );
      if (states.size === 0) return false;
    }
    return states.has(endOf(tokens));
  };
}

// Each token has two states: before it, and within the folders that it stands for.
const endOf = (tokens: readonly Token[]): number => tokens.length * 2;

function after(tokens: readonly Token[], state: number, character: string): number[] {
  const token = tokens[state >> 1];
  const next = (state & ~1) + 2;
  if (token === undefined) return [];
  if (token.kind === 'folders') return character === '/' ? [state | 1, next] : [state | 1];
  if (!token.fits(character)) return [];
  return [token.kind === 'one' ? next : state];
}

/** Tokens that may stand for nothing are passed by. */
function withSkipped(tokens: readonly Token[], states: readonly number[]): ReadonlySet<number> {
  const all = new Set<number>();
  for (let state of states) {
    for (;;) {
      all.add(state);
      const token = tokens[state >> 1];
      if (token === undefined || token.kind === 'one' || (state & 1) === 1 || all.has(state + 2)) break;
      state += 2;
    }
  }
  return all;
}

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; ) {
    const [stars = ''] = /^\*+\/?/.exec(pattern.slice(at)) ?? [];
    if (stars !== '') {
      const isDeep = stars.startsWith('**');
      if (isDeep && stars.endsWith('/')) tokens.push({ kind: 'folders' });
      else tokens.push({ kind: 'some', fits: isDeep ? () => true : (character) => character !== '/' });
      at += isDeep ? stars.length : 1;
      continue;
    }
    const { length, fits } = oneOf(pattern.slice(at));
    tokens.push({ kind: 'one', fits });
    at += length;
  }
  return tokens;
}

/** What one character is held against, and how much of the pattern says so. */
function oneOf(rest: string): { readonly length: number; readonly fits: (character: string) => boolean } {
  const [first = ''] = rest;
  if (first === '?') return { length: 1, fits: (character) => character !== '/' };
  if (first === '[') {
    const [set = ''] = /^\[\^?(?:\\.|[^\]\\])+\]/s.exec(rest) ?? [];
    if (set === '') throw new SyntaxError('a set without an end');
    const form = new RegExp(`^${set.replace(/(?<!^)\[/g, '\\[')}$`, 's');
    return { length: set.length, fits: (character) => form.test(character) };
  }
  const escaped = first === '\\' ? ([...rest.slice(1)][0] ?? '\\') : first;
  const length = first === '\\' ? Math.min(rest.length, 1 + escaped.length) : first.length;
  return { length, fits: (character) => character === escaped };
}
