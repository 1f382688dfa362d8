/**
 * `.dockerignore`: which paths stay out of the context of a Dockerfile. Pure. Source: Docker's "Dockerignore file" and the patterns of
 * moby/patternmatcher: the last pattern that fits decides, `!` brings back, and what fits a folder fits all below it.
 */
import { BuildFailure } from '../../core/ports/builder.ts';

export interface DockerIgnore {
  /** `path` is relative to the context, with slashes. */
  excludes(path: string): boolean;
  /** Whether anything below an excluded folder may come back. */
  readonly hasExceptions: boolean;
}

interface Rule {
  readonly form: RegExp;
  readonly excludes: boolean;
}

/** Throws BuildFailure `source` for a pattern that is none. */
export function dockerIgnore(text: string): DockerIgnore {
  const rules = text.split(/\r?\n/).flatMap((line) => ruleOf(line));
  return {
    excludes(path) {
      let isExcluded = false;
      for (const { form, excludes } of rules) if (form.test(path)) isExcluded = excludes;
      return isExcluded;
    },
    hasExceptions: rules.some(({ excludes }) => !excludes),
  };
}

function ruleOf(line: string): Rule[] {
  const trimmed = line.startsWith('#') ? '' : line.trim();
  const excludes = !trimmed.startsWith('!');
  const pattern = clean(excludes ? trimmed : trimmed.slice(1).trim());
  if (pattern === '') return [];
  try {
    return [{ form: new RegExp(`^${expression(pattern)}(?:/|$)`, 's'), excludes }];
  } catch {
    throw new BuildFailure('source', `the .dockerignore has a pattern that cannot be understood: ${line.trim()}`);
  }
}

/** Without slashes around it, `.` and `..`, which cannot lead out. */
function clean(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function expression(pattern: string): string {
  let text = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const rest = pattern.slice(at);
    const [stars = ''] = /^\*+\/?/.exec(rest) ?? [];
    if (stars.startsWith('**')) {
      text += stars.endsWith('/') ? '(?:.*/)?' : '.*';
      at += stars.length - 1;
    } else if (rest.startsWith('*')) text += '[^/]*';
    else if (rest.startsWith('?')) text += '[^/]';
    else if (rest.startsWith('\\')) {
      at += 1;
      text += literal(pattern[at] ?? '\\');
    } else if (rest.startsWith('[')) {
      const [set = ''] = /^\[\^?(?:\\.|[^\]\\])+\]/s.exec(rest) ?? [];
      if (set === '') throw new SyntaxError('a set without an end');
      text += set.replace(/(?<!^)\[/g, '\\[');
      at += set.length - 1;
    } else text += literal(pattern[at] ?? '');
  }
  return text;
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
