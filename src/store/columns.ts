/** Between the core's field names and column names. */
import type { Row } from './schema.ts';

const names = new Map<string, string>();

const snake = (field: string): string => {
  let name = names.get(field);
  if (name === undefined) {
    name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    names.set(field, name);
  }
  return name;
};

/** A value of the core with its fields named like columns, for inserts and updates. Fields are those of the core's types, never a caller's. */
export function toRow<T extends object>(value: T): Row<T> {
  const row: Record<string, unknown> = {};
  for (const [field, content] of Object.entries(value)) row[snake(field)] = content;
  return row as Row<T>;
}

/** Whether a partial change says anything at all; an UPDATE without a column is no SQL. */
export const isEmpty = (change: object): boolean => Object.values(change).every((value) => value === undefined);
