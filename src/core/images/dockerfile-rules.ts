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

/** Why it is not built, in words for its owner; null: nothing is in the way. */
export function dockerfileRefusal(text: string): string | null {
  if (text.length > longest) return `the Dockerfile is longer than ${longest / 1_024} KiB`;
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.some(namesForeignSyntax)) return foreignSyntax;
  return instructions(lines).some(fetches) ? refusal : null;
}

/** The same of a step as BuildKit tells of it: `[2/3] ADD a b`, or the address itself. Images may bring such steps as their ONBUILD. */
export function stepRefusal(name: string): string | null {
  const isAddress = /^(?:https?|git|ssh|ftp):\/\//i.test(name);
  return isAddress || fetches(name.replace(/^\[[^\]]*\]\s*/, '')) ? refusal : null;
}

function namesForeignSyntax(line: string): boolean {
  const [, image] = /^[\s\u0085]*(?:#|\/\/)\s*syntax\s*=\s*(\S*)/i.exec(line) ?? [];
  return image !== undefined && !/^(?:docker\.io\/)?docker\/dockerfile(?:[:@][\w.:+-]*)?$/.test(image);
}

/** What may be an instruction, each in one line. */
function instructions(lines: readonly string[]): readonly string[] {
  // Where a document or another escape may stand, any line may begin one.
  const isUnclear = lines.some((line) => line.includes('<<') || /^\s*(?:#|\/\/)\s*escape\s*=/i.test(line));
  const end = isUnclear ? /[\\`][ \t]*$/ : /\\[ \t]*$/;
  let isWithin = false;
  return lines.flatMap((line, at) => {
    const mayBegin = isUnclear || !isWithin;
    if (isSkipped(line)) isWithin = false;
    else isWithin = end.test(line) && !/\\\\[ \t]*$/.test(line);
    return mayBegin ? [joined(lines, at, end)] : [];
  });
}

/** Of an instruction that goes on for ever only what it is matters. */
function joined(lines: readonly string[], from: number, end: RegExp): string {
  let whole = '';
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (at - from > longestInstruction.lines || whole.length > longestInstruction.characters)
      return whole.trim().length < instructionCharacters ? tooLong : `${whole} ${tooLong}`;
    if (at > from && isSkipped(line)) continue;
    whole += line.replace(end, '');
    if (!end.test(line)) break;
  }
  return whole;
}

const isSkipped = (line: string): boolean => /^[\s\u0085]*(?:#|$)/.test(line);

function fetches(instruction: string): boolean {
  const [, rest] = /^[\s\u0085]*(?:ONBUILD\s+)*ADD\s+(.*)$/is.exec(instruction) ?? [];
  if (rest === undefined) return false;
  const words = wordsOf(rest.replace(/^(?:--[a-z-]+(?:=[^\s"'\\]*)?\s+)*/i, ''));
  return words === null || words.slice(0, -1).some((word) => /[$:"'\\]/.test(word) || /^github\.com\//i.test(word));
}

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
  return /["'\\]/.test(text) ? null : text.trim().split(/\s+/);
}
