/** How values of the database become those of the core. Only what the ready-made parsers do slowly or otherwise is done here. */
import pg from 'pg';

const INT8 = 20;
const TIMESTAMPTZ = 1184;
const TEXT_ARRAY = 1009;

/** By a number that the type of the library does not list. */
const readyMade = pg.types.getTypeParser as (oid: number, format: 'text') => (text: string) => unknown;
const parseTime = readyMade(TIMESTAMPTZ, 'text') as (text: string) => Date;
const parseTexts = readyMade(TEXT_ARRAY, 'text') as (text: string) => string[];

const digits = (text: string, from: number, to: number): number => {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
};

/** `2026-03-04 05:06:07.089+00`; the server leaves out the trailing zeros of the fraction, and all of it when it is zero. */
export function time(text: string): Date {
  const end = text.length - 3;
  if (end < 19 || end > 23 || text.charCodeAt(4) !== 45 || !text.endsWith('+00')) return parseTime(text);
  const fraction = end > 20 ? digits(text, 20, end) * 10 ** (23 - end) : 0;
  return new Date(
    Date.UTC(
      digits(text, 0, 4),
      digits(text, 5, 7) - 1,
      digits(text, 8, 10),
      digits(text, 11, 13),
      digits(text, 14, 16),
      digits(text, 17, 19),
      fraction,
    ),
  );
}

/** `{a,b}`; quoted elements go the long way. */
export function texts(text: string): string[] {
  if (text === '{}') return [];
  if (text.includes('"') || text.includes('NULL')) return parseTexts(text);
  return text.slice(1, -1).split(',');
}

const own: Readonly<Record<number, (text: string) => unknown>> = {
  // Counts, sizes and sequences stay far below 2^53.
  [INT8]: Number,
  [TIMESTAMPTZ]: time,
  [TEXT_ARRAY]: texts,
};

export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (format === 'binary') return pg.types.getTypeParser(oid, 'binary');
    return own[oid] ?? pg.types.getTypeParser(oid, 'text');
  },
} as pg.CustomTypesConfig;
