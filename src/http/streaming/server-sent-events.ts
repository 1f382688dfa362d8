/** Server-sent events as the HTML standard has them. */

export interface ServerSentEvent {
  readonly data: string;
  readonly event?: string;
  /** Where a reader that comes back goes on. */
  readonly id?: string;
}

export const serverSentEventType = 'text/event-stream';

/** A line break of any kind within `data` becomes a line of its own; within `event` and `id` it is left out. */
export function encodeEvent({ data, event, id }: ServerSentEvent): string {
  const plain = (text: string): string => text.replace(/[\r\n\0]/g, '');
  const fields = [
    ...(event === undefined ? [] : [`event: ${plain(event)}`]),
    ...(id === undefined ? [] : [`id: ${plain(id)}`]),
    ...data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`),
  ];
  return `${fields.join('\n')}\n\n`;
}

export async function* serverSentEvents(events: AsyncIterable<ServerSentEvent>): AsyncIterable<string> {
  for await (const event of events) yield encodeEvent(event);
}
