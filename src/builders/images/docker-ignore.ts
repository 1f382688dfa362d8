/**
 * `.dockerignore`: which paths stay out of the context of a Dockerfile. Pure. Source: Docker's "Dockerignore file" and the patterns of
 * moby/patternmatcher: the last pattern that fits decides, `!` brings back, and what fits a folder fits all below it.
 */
import { BuildFailure } from '../../core/ports/builder.ts';
import { type PathPattern, pathPattern } from './path-pattern.ts';

export interface DockerIgnore {
  /** `path` is relative to the context, with slashes. */
  excludes(path: string): boolean;
  /** Whether anything below an excluded folder may come back. */
  readonly hasExceptions: boolean;
}

interface Rule {
  readonly fits: PathPattern;
  readonly excludes: boolean;
}

/** Every path is held against every pattern. */
const longest = 32 * 1_024;

/** Throws BuildFailure `source` for a pattern that is none, and for too many of them. */
export function dockerIgnore(text: string): DockerIgnore {
  if (text.length > longest)
    throw new BuildFailure('source', `the .dockerignore is longer than ${longest / 1_024} KiB`);
  const rules = text.split(/\r?\n/).flatMap((line) => ruleOf(line));
  return {
    excludes(path) {
      let isExcluded = false;
      for (const { fits, excludes } of rules) if (excludes !== isExcluded && fits(path)) isExcluded = excludes;
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
    return [{ fits: pathPattern(pattern), excludes }];
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
