/** Queries that are built once: building the text of a wide one costs more than running it. */
import { type Compilable, type CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import type { Schema } from './schema.ts';

/** Stands in a built query for the parameter of that number. */
class Hole {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/** Builds texts only: it has no connection. */
const builder = new Kysely<Schema>({
  dialect: new PostgresDialect({ pool: () => Promise.reject(new Error('a builder of statements runs none')) }),
});

export type Statement<P extends readonly unknown[], R> = (db: Kysely<Schema>, ...values: P) => Promise<R[]>;

/**
 * Makes a statement from a query whose shape does not depend on its parameters; `build` is called once, with stand-ins of which it may do
 * nothing but place them as values.
 */
export function statement<P extends readonly unknown[], R>(
  build: (db: Kysely<Schema>, ...parameters: P) => Compilable<R>,
): Statement<P, R> {
  let compiled: CompiledQuery<R> | null = null;
  return async (db, ...values) => {
    // `length` counts the builder too.
    compiled ??= build(
      builder,
      ...(Array.from({ length: build.length - 1 }, (_, n) => new Hole(n)) as unknown as P),
    ).compile();
    const parameters = compiled.parameters.map((value) => (value instanceof Hole ? values[value.index] : value));
    const query: CompiledQuery<R> = { ...compiled, parameters };
    return (await db.executeQuery<R>(query)).rows;
  };
}
