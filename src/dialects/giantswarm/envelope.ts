/** The envelope around every answer with a code: `status_code`, `status_text`, and `data` where there is some. */

export const codes = {
  data: [10000, 'success'],
  created: [10003, 'resource created'],
  started: [10004, 'resource started'],
  stopped: [10005, 'resource stopped'],
  /** Both documents say so of services, where the library of the first server says 10005. */
  serviceStopped: [10004, 'resource stopped'],
  updated: [10006, 'resource updated'],
  deleted: [10007, 'resource deleted'],
  notFound: [10008, 'resource not found'],
  exists: [10009, 'resource already exists'],
  invalidCredentials: [10010, 'resource invalid credentials'],
  wrongInput: [10013, 'wrong input'],
  userError: [10014, 'user error'],
  serverError: [10015, 'server error'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type CodeName = keyof typeof codes;

export interface Envelope {
  readonly status_code: number;
  readonly status_text: string;
  readonly data?: unknown;
}

/** In the order in which the first server wrote the keys. */
export function envelope(name: CodeName, data?: unknown, text?: string): Envelope {
  const [status_code, status_text] = codes[name];
  return { status_code, status_text: text ?? status_text, ...(data === undefined ? {} : { data }) };
}
