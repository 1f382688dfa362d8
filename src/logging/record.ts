/**
 * The text form of one log line, and back: `<ISO time with ms>Z <source> <process|-> <instance|-> <text>\n`. An instance that fills a seat
 * is `<instance>@<seat>`. One record is one line of the file, whatever the text holds. A line that ends in CAN (U+0018) was torn by a crash or a full disk and is no record.
 */
import type { LogFilter, LogLine, LogSource } from '../core/ports/log-store.ts';

/** Ends a line that could not be written whole. */
export const tornMark = '\u0018';
/** Characters of text that a record keeps; the rest is cut, and the text says how much. */
export const maxTextLength = 65_536;

const sources: ReadonlySet<string> = new Set<LogSource>(['app', 'router', 'build', 'platform', 'event']);
const isSource = (value: string): value is LogSource => sources.has(value);

const unescapes: Readonly<Record<string, string>> = { '\\': '\\', r: '\r', n: '\n', c: tornMark };

function escapeText(text: string): string {
  const whole =
    text.length <= maxTextLength
      ? text
      : `${text.slice(0, maxTextLength)} … (${text.length - maxTextLength} more characters cut)`;
  // Nearly every line has none of these; four scans that find nothing cost less than one replace.
  let escaped = whole.includes('\\') ? whole.replaceAll('\\', '\\\\') : whole;
  if (escaped.includes('\r')) escaped = escaped.replaceAll('\r', '\\r');
  if (escaped.includes('\n')) escaped = escaped.replaceAll('\n', '\\n');
  return escaped.includes(tornMark) ? escaped.replaceAll(tornMark, '\\c') : escaped;
}

const unescapeText = (text: string): string =>
  text.includes('\\')
    ? text.replace(/\\([\\rnc])/g, (_, character: string) => unescapes[character] ?? character)
    : text;

/** Process, instance and seat are names the platform made; whatever is not printable ASCII becomes `_` so that the columns hold. */
const column = (value: string): string => {
  if (value === '') return '-';
  return /^[\x21-\x7e]+$/.test(value) ? value : value.replace(/[^\x21-\x7e]/gu, '_');
};

const seatMark = '@';
const withoutMark = (value: string): string => value.replaceAll(seatMark, '_');
const instanceColumn = (instance: string, seat: string): string => {
  const own = withoutMark(column(instance));
  return seat === '' ? own : `${own}${seatMark}${withoutMark(column(seat))}`;
};

/**
 * Makes an encoder with its own memory of the last time and columns: neighbours in a log are nearly always alike there. The encoder
 * throws RangeError for an invalid date.
 */
export function createEncoder(): (lines: readonly LogLine[]) => string {
  let lastMs = Number.NaN;
  let lastTime = '';
  let lastProcess = '';
  let lastInstance = '';
  let lastSeat = '';
  let columns = '- -';
  return (lines) => {
    let out = '';
    for (const line of lines) {
      const ms = line.at.getTime();
      if (ms !== lastMs) {
        lastTime = line.at.toISOString();
        lastMs = ms;
      }
      if (line.process !== lastProcess || line.instance !== lastInstance || line.seat !== lastSeat) {
        lastProcess = line.process;
        lastInstance = line.instance;
        lastSeat = line.seat;
        columns = `${column(line.process)} ${instanceColumn(line.instance, line.seat)}`;
      }
      out += `${lastTime} ${line.source} ${columns} ${escapeText(line.text)}\n`;
    }
    return out;
  };
}

/** Reads one record without its newline; null when it is torn or no record at all. */
export function decodeRecord(record: string): LogLine | null {
  if (record.endsWith(tornMark)) return null;
  // `2026-01-02T03:04:05.678Z `
  const sourceStart = 25;
  if (record[23] !== 'Z' || record[24] !== ' ') return null;
  const processStart = record.indexOf(' ', sourceStart) + 1;
  const instanceStart = record.indexOf(' ', processStart) + 1;
  const textStart = record.indexOf(' ', instanceStart) + 1;
  if (processStart === 0 || instanceStart === 0 || textStart === 0) return null;
  const source = record.slice(sourceStart, processStart - 1);
  const at = new Date(record.slice(0, sourceStart - 1));
  if (!isSource(source) || Number.isNaN(at.getTime())) return null;
  const process = record.slice(processStart, instanceStart - 1);
  const filler = record.slice(instanceStart, textStart - 1);
  const mark = filler.indexOf(seatMark);
  const instance = mark < 0 ? filler : filler.slice(0, mark);
  return {
    at,
    source,
    process: process === '-' ? '' : process,
    instance: instance === '-' ? '' : instance,
    seat: mark < 0 ? '' : filler.slice(mark + 1),
    text: unescapeText(record.slice(textStart)),
  };
}

/** Whether a line passes a filter; what the filter does not name passes. */
export function matches(line: LogLine, filter: LogFilter): boolean {
  return (
    (filter.source === undefined || line.source === filter.source) &&
    (filter.process === undefined || line.process === filter.process) &&
    (filter.instance === undefined || line.instance === filter.instance) &&
    (filter.seat === undefined || line.seat === filter.seat) &&
    (filter.accepts === undefined || filter.accepts(line))
  );
}
