/**
 * The last so many rows of numbers with their times, overwriting the oldest. Grows with its content up to its limit, since most instances
 * are short-lived; NaN is "no value".
 */
export class Ring {
  readonly #columns: number;
  readonly #maxRows: number;
  #times = new Float64Array(0);
  /** Row by row. Single precision: a value is off by less than one in ten million. */
  #values = new Float32Array(0);
  /** Rows ever written. */
  #written = 0;

  constructor(columns: number, maxRows: number) {
    this.#columns = columns;
    this.#maxRows = maxRows;
  }

  get size(): number {
    return Math.min(this.#written, this.#times.length);
  }

  /** Adds a row of as many values as there are columns. `at` is in milliseconds and not before the last one. */
  push(at: number, row: ArrayLike<number>): void {
    if (this.#written >= this.#times.length && this.#times.length < this.#maxRows) this.#grow();
    const slot = this.#written % this.#times.length;
    this.#times[slot] = at;
    for (let column = 0; column < this.#columns; column += 1) {
      this.#values[slot * this.#columns + column] = row[column] ?? Number.NaN;
    }
    this.#written += 1;
  }

  /** The values of a column from `from` to `to` (both included), oldest first, without those that are missing. */
  read(column: number, from: number, to: number): { at: number; value: number }[] {
    const found: { at: number; value: number }[] = [];
    for (let index = this.#written - this.size; index < this.#written; index += 1) {
      const slot = index % this.#times.length;
      const at = this.#times[slot] ?? Number.NaN;
      const value = this.#values[slot * this.#columns + column] ?? Number.NaN;
      if (at >= from && at <= to && !Number.isNaN(value)) found.push({ at, value });
    }
    return found;
  }

  #grow(): void {
    // Never wrapped before it is full-grown, so the old rows are in order at the beginning.
    const rows = Math.min(this.#maxRows, Math.max(16, this.#times.length * 2));
    const times = new Float64Array(rows);
    times.set(this.#times);
    const values = new Float32Array(rows * this.#columns);
    values.set(this.#values);
    this.#times = times;
    this.#values = values;
  }
}
