/** What the caller's client can read of events. The command line clients differ from the documents, and from each other. */
import type { IncomingHttpHeaders } from 'node:http';

export interface EventReader {
  /** The amounts of a scale event: the documents have numbers; the clients in Go read texts like `2:M` and know no numbers. */
  readonly amountsAsText: boolean;
  /** The command line clients 1.4 to 1.9 fall into endless recursion over a `new_variable` that is not by an addon. */
  readonly survivesNewVariable: boolean;
}

export function eventReaderOf({ 'user-agent': agent = '' }: Pick<IncomingHttpHeaders, 'user-agent'>): EventReader {
  return {
    amountsAsText: /^Scalingo (?:Go Client|CLI)\b/.test(agent),
    survivesNewVariable: agent.trim() !== 'Scalingo Go Client',
  };
}
