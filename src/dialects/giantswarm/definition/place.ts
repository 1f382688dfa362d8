/** Where in a definition something stands, and the one error that says what is wrong there. */

/** The definition is not one that can be run. Rendered as `wrong input: <message>`. Never carries the value of a variable. */
export class WrongInput extends Error {
  /** E.g. `["services"][0]["components"][1]["volume"]`; empty for the definition as a whole. */
  readonly path: string;
  readonly reason: string;
  constructor(path: string, reason: string) {
    super(path === '' ? reason : `${path}: ${reason}`);
    this.name = 'WrongInput';
    this.path = path;
    this.reason = reason;
  }
}

const maxShown = 120;

/** A position in JSON: keys and indexes from the root. */
export class Place {
  readonly steps: readonly (string | number)[];
  constructor(steps: readonly (string | number)[] = []) {
    this.steps = steps;
  }
  at(...steps: readonly (string | number)[]): Place {
    return new Place([...this.steps, ...steps]);
  }
  get path(): string {
    return this.steps.map((step) => `[${typeof step === 'number' ? step : quoted(step)}]`).join('');
  }
  wrong(reason: string): WrongInput {
    return new WrongInput(this.path, reason);
  }
}

/** A name from the definition for an error text, cut where it is too long to be shown. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > maxShown ? `${name.slice(0, maxShown)}…` : name);
