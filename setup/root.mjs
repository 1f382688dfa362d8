/** The folder of the checkout, and the error that is shown without its stack. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const rootFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** Something that the person at the terminal has to mend; the message says how. */
export class SetupError extends Error {
  constructor(message) {
    super(message);
    this.name = 'SetupError';
  }
}
