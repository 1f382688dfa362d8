/** Rows in aligned columns, for people. Pure. */

/** A column's title and what it shows of a row. */
export type Column<T> = readonly [title: string, show: (row: T) => string | number | null];

/** Somebody's text for a terminal: a line break would look like a row, and other control characters move what is written. */
export const onOneLine = (text: string): string => text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();

/** One line a row, with the titles above; what is null or empty shows as `-`. `none` is said where there are no rows. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[], none: string): string {
  if (rows.length === 0) return `${none}\n`;
  const cells = [
    columns.map(([title]) => title.toUpperCase()),
    ...rows.map((row) => columns.map(([, show]) => cell(show(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells
    .map(
      (line) =>
        `${line
          .map((text, at) => text.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const cell = (value: string | number | null): string => onOneLine(String(value ?? '')) || '-';
