/** What the pre-receive hook and the server say to each other over a socket: a question as JSON to the end, then answers, one a line. */

/** The hook's only message. */
export interface HookQuestion {
  /** Names the push; good once. */
  readonly token: string;
  /** What git gave the hook on its standard input. */
  readonly updates: string;
  /** Where the pushed objects wait until the hook agrees. */
  readonly objects: string;
}

/** The server's messages: lines for the person who pushed, then the verdict. */
export type HookAnswer = { readonly say: string } | { readonly accepted: boolean };

/** Names of the environment that lead the hook to its push. */
export const hookEnvironment = { socket: 'BERTH_PUSH_SOCKET', token: 'BERTH_PUSH_TOKEN' } as const;

/** As many refs as anybody has fit; more is refused. */
export const QUESTION_MAX_BYTES = 4 * 1024 * 1024;
