/** What is done to either side of the measurement, and seen of it. */
export type Version = 'one' | 'two';

export interface Side {
  update(version: Version): Promise<void>;
  scale(quantity: number): Promise<void>;
  /** Whether an answer of now is of that version. */
  serves(version: Version): Promise<boolean>;
  /** How many instances answer. */
  answering(): Promise<number>;
  /** How many containers of it run, or wait to be removed where nobody keeps those that ended. */
  containers(): Promise<number>;
}

export interface Program {
  /** By its id: Swarm looks for one with a name at a registry first, however long that takes. */
  readonly image: string;
  /** All but PORT, where it listens. */
  readonly variables: readonly string[];
  readonly command: readonly string[];
  readonly folder: string;
  readonly user: string;
}
