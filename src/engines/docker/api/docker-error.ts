/** What the Docker Engine answered instead of what was asked for. */
export class DockerError extends Error {
  /** HTTP status of the answer. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'DockerError';
    this.status = status;
  }
}

/** Whether the daemon answered with one of these statuses. */
export const isStatus = (error: unknown, ...statuses: readonly number[]): boolean =>
  error instanceof DockerError && statuses.includes(error.status);
