/** The body of an exec. Its content type says nothing: the documents send JSON as `text/plain`. */
import { wrongInput } from '../errors.ts';

export interface ExecInput {
  readonly command: readonly string[];
  /** Answer at once and leave the command to itself. */
  readonly detach: boolean;
  readonly attach: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Whether the outputs are told apart by frames: not with a terminal, which has one output, and not when `raw` is asked for. */
  readonly framed: boolean;
  readonly terminal: boolean;
}

/** Throws 10013. */
export function parseExec(body: Buffer): ExecInput {
  const fields = fieldsOf(body);
  const flag = (name: string): boolean | undefined => {
    const value = fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'boolean') throw wrongInput(`["${name}"]: must be true or false`);
    return value;
  };
  const [stdin, stdout, stderr] = [flag('attach-stdin'), flag('attach-stdout'), flag('attach-stderr')];
  // Who names none wants to see what happens; who names some gets those.
  const none = stdin === undefined && stdout === undefined && stderr === undefined;
  const terminal = flag('tty') ?? false;
  return {
    command: commandOf(fields.cmd),
    detach: flag('detach') ?? false,
    attach: { stdin: stdin ?? false, stdout: stdout ?? none, stderr: stderr ?? none },
    framed: !terminal && flag('raw') !== true,
    terminal,
  };
}

function fieldsOf(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw wrongInput('the body is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrongInput('the body must be an object');
  return value as Readonly<Record<string, unknown>>;
}

function commandOf(value: unknown): readonly string[] {
  const words: readonly unknown[] = Array.isArray(value) ? value : [];
  const command = words.filter((word) => typeof word === 'string');
  if (command.length === 0 || command.length < words.length || command[0] === '')
    throw wrongInput('["cmd"]: must be an array of texts, the first of them a program');
  if (command.some((word) => word.includes('\0'))) throw wrongInput('["cmd"]: must not contain NUL');
  return command;
}

const SIDE_MAX = 10_000;

/** `h` and `w` of a query, as Docker names them: rows and columns. Null where neither is given. Throws 10013 for what is no size. */
export function terminalSize(query: URLSearchParams): { readonly columns: number; readonly rows: number } | null {
  const [rows, columns] = [query.get('h'), query.get('w')];
  if (rows === null && columns === null) return null;
  const side = (text: string | null): number => (/^\d{1,5}$/.test(text ?? '') ? Number(text) : 0);
  const size = { columns: side(columns), rows: side(rows) };
  if (Math.min(size.columns, size.rows) < 1 || Math.max(size.columns, size.rows) > SIDE_MAX)
    throw wrongInput(`h and w must be numbers from 1 to ${SIDE_MAX}`);
  return size;
}
