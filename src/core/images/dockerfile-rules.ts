/**
 * What no Dockerfile may ask of a builder: to fetch something itself. It would from the machine's own network, where addresses are in reach
 * that no app may see; steps that fetch have a firewall around them. Pure. Source: Docker's "Dockerfile reference", and moby/buildkit,
 * frontend/dockerfile/parser, of which every doubt is read as the worse case.
 */

const refusal =
  'ADD takes files of the source alone, spelled out: fetch what is at an address by a RUN step, and use COPY where a variable names a file';
const longest = 128 * 1_024;
const longestInstruction = { lines: 64, characters: 4_096 };
/** By then it is said which one it is. */
const instructionCharacters = 16;
/** One that is refused, alone or at the end of another ADD. */
const tooLong = 'ADD $ x';
const foreignSyntax = 'the only syntax that a Dockerfile may name is docker/dockerfile, of any version';
const noDockerfile =
  'a Dockerfile begins with an instruction, not with {: what is read as JSON may name another syntax';
/** What Go's `unicode.IsSpace` is: without U+FEFF, which JavaScript has, and with U+0085, which it has not. */
const blank = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const named = new RegExp(`^${blank}*(?:#|//)${blank}*(syntax|escape)${blank}*=${blank}*([^ ]*)`, 'i');
const skipped = new RegExp(`^${blank}*(?:#|$)`);
/** The letter with the dot is an i to Go. */
const addition = new RegExp(`^${blank}*(?:ONBU[Iİ]LD${blank}+)*ADD${blank}+(.*)$`, 'is');
/** Their values in ASCII alone: of other letters BuildKit takes single bytes for spaces. */
const flags = new RegExp(`^(?:--[a-z-]+(?:=[!#-&(-[\\]-~]*)?${blank}+)*`, 'i');
/** Of an instruction that goes on in the next line: with the usual escape, and with the other that may be named. */
const continued = { backslash: /\\[ \t]*\r*$/, backtick: /`[ \t]*\r*$/ };

/** Why it is not built, in words for its owner; null: nothing is in the way. */
export function dockerfileRefusal(text: string): string | null {
  if (text.length > longest) return `the Dockerfile is longer than ${longest / 1_024} KiB`;
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  if (lines.some(namesForeignSyntax)) return foreignSyntax;
  // Newer ones look for a syntax in a file that is JSON, after a line `#!`; no instruction begins like this.
  if (
    lines
      .find((line) => !isSkipped(line))
      ?.trimStart()
      .startsWith('{') === true
  )
    return noDockerfile;
  return instructions(lines).some(fetches) ? refusal : null;
}

/** The same of a step as BuildKit tells of it: `[2/3] ADD a b`, or the address itself. Images may bring such steps as their ONBUILD. */
export function stepRefusal(name: string): string | null {
  const isAddress = /^(?:https?|git|ssh|ftp):\/\//i.test(name);
  if (isAddress || fetches(name.replace(/^\[[^\]]*\]\s*/, ''))) return refusal;
  // Only a syntax is looked up under this name.
  const frontend = /^resolve image config for (?:docker-image:\/\/)?(.*)$/s.exec(name)?.[1];
  return frontend === undefined || isDockers(frontend) ? null : foreignSyntax;
}

function namesForeignSyntax(line: string): boolean {
  const [, name, image = ''] = named.exec(line) ?? [];
  return name?.toLowerCase() === 'syntax' && !isDockers(image);
}

const isDockers = (image: string): boolean => /^(?:docker\.io\/)?docker\/dockerfile(?:[:@][\w.:+@-]*)?\s*$/.test(image);

/** What may be an instruction, each in one line. */
function instructions(lines: readonly string[]): readonly string[] {
  // Where a document or another escape may stand, or a line have several ends, any line may begin one.
  const isUnclear = lines.some(
    (line) => line.includes('<<') || line.endsWith('\r') || named.exec(line)?.[1]?.toLowerCase() === 'escape',
  );
  const { backslash, backtick } = continued;
  const usual = linesOf(lines, backslash);
  if (isUnclear) return [usual, linesOf(lines, backtick)].flatMap((all) => all.map((_, at) => joined(all, at)));
  let isWithin = false;
  return usual.flatMap(({ whole, isSkipped, goesOn }, at) => {
    const mayBegin = !isWithin;
    isWithin = !isSkipped && goesOn && !/\\\\[ \t]*$/.test(whole);
    return mayBegin ? [joined(usual, at)] : [];
  });
}

interface Line {
  readonly whole: string;
  /** Without the sign that it goes on in the next line. */
  readonly text: string;
  readonly goesOn: boolean;
  readonly isSkipped: boolean;
}

const linesOf = (lines: readonly string[], end: RegExp): readonly Line[] =>
  lines.map((whole) => ({
    whole,
    text: whole.replace(end, ''),
    goesOn: end.test(whole),
    isSkipped: isSkipped(whole),
  }));

/** Of an instruction that goes on for ever only what it is matters. */
function joined(lines: readonly Line[], from: number): string {
  let all = '';
  for (const [at, line] of lines.slice(from, from + longestInstruction.lines).entries()) {
    if (all.length > longestInstruction.characters) return cut(all);
    if (at > 0 && line.isSkipped) continue;
    all += line.text;
    if (!line.goesOn) return all;
  }
  // At the end of the file what was taken for a sign that it goes on may be its last word.
  return lines.length > from + longestInstruction.lines ? cut(all) : `${all} x`;
}

const cut = (beginning: string): string =>
  beginning.trim().length < instructionCharacters ? tooLong : `${beginning} ${tooLong}`;

const isSkipped = (line: string): boolean => skipped.test(line);

function fetches(instruction: string): boolean {
  const rest = addition.exec(instruction)?.[1];
  if (rest === undefined) return false;
  const words = wordsOf(rest.replace(flags, ''));
  return words === null || sourcesOf(words).some((word) => /[$:"'\\`]/.test(word) || /^github\.com\//i.test(word));
}

/** One word alone is no destination. */
const sourcesOf = (words: readonly string[]): readonly string[] => words.slice(0, Math.max(1, words.length - 1));

/** Null where quotes and escapes would have to be understood. */
function wordsOf(text: string): readonly string[] | null {
  if (text.startsWith('[')) {
    try {
      const words: unknown = JSON.parse(text);
      if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
    } catch {
      // Then it is read as words.
    }
  }
  return /["'\\]/.test(text) ? null : text.split(/[\t\v\f\r ]+/).filter((word) => word !== '');
}
