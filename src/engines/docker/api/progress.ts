/**
 * Long work is answered with a good status and a line of JSON for each step; whether it failed stands in one of them. `errorDetail` says it;
 * `error` is the same in words and deprecated from API 1.48 on. Pure.
 */

/** Why the work failed, where this step says so; null: it does not. */
export function failureOf(step: unknown): string | null {
  if (typeof step !== 'object' || step === null) return null;
  const { errorDetail, error } = step as { readonly errorDetail?: unknown; readonly error?: unknown };
  if (typeof errorDetail === 'object' && errorDetail !== null && 'message' in errorDetail) {
    return String(errorDetail.message);
  }
  return typeof error === 'string' && error !== '' ? error : null;
}

/** The same for a whole answer, as `DockerApi.call` gives it: one step, or the text of several. */
export function failureIn(answer: unknown): string | null {
  const steps = typeof answer === 'string' ? answer.split('\n').map(parsed) : [answer];
  return steps.map(failureOf).find((failure) => failure !== null) ?? null;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
