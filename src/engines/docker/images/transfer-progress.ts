/** What a daemon tells while it pulls or pushes: a line of JSON for each step. Nothing of it is kept but how it ended. */
import type { Readable } from 'node:stream';
import { LineSplitter } from '../../common/line-splitter.ts';
import { failureOf } from '../api/progress.ts';

export interface TransferEnd {
  /** Why it failed; null: it did not. */
  readonly error: string | null;
  /** Of a push: what the registry calls the manifest. */
  readonly digest: string | null;
}

interface Step {
  readonly aux?: { readonly Digest?: unknown } | null;
}

/** Reads to the end. Rejects when the connection breaks. */
export async function transferEnd(answer: Readable): Promise<TransferEnd> {
  const lines = new LineSplitter();
  let end: TransferEnd = { error: null, digest: null };
  const take = (line: string): void => {
    const step = parsed(line);
    const { aux } = step;
    const error = failureOf(step);
    if (error !== null) end = { ...end, error };
    if (typeof aux?.Digest === 'string') end = { ...end, digest: aux.Digest };
  };
  for await (const chunk of answer) for (const line of lines.push(chunk as Buffer)) take(line);
  for (const line of lines.end()) take(line);
  return end;
}

function parsed(line: string): Step {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
