/** One JSON value a line. */
export async function* ndjson(values: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
export const ndjsonType = 'application/x-ndjson';
