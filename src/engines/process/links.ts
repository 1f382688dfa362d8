/** How an instance finds the target of a link. The kernel carries connections where it can (network/), else the agent (link-forwards.ts). */
import type { LinkRoute } from '../../core/ports/engine.ts';

export interface LinkPlace {
  readonly host: string;
  readonly port: number;
}

export interface Links {
  /** Where instances of the space connect to from now on, whatever the target's instances do. */
  place(spaceId: string, target: string, port: number): Promise<LinkPlace>;
  /** The whole table; replaces the one before. Throws invalid for a backend that is no IPv4 address and port. */
  route(routes: readonly LinkRoute[]): Promise<void>;
  /** Forgets the places of targets that no route names and `inUse` says no to. */
  prune(inUse: (spaceId: string, target: string) => boolean): void;
  /** Brings back what an earlier agent was told of. */
  restore(): Promise<void>;
  /** Stops; connections that the agent carries end. `everything`: nothing is left of it on the machine. */
  close(options: { readonly everything: boolean }): Promise<void>;
}
