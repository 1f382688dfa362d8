import type { WebSocket } from 'ws';

/** Sends texts and resolves when the last of them has left for the kernel, or the socket is closed: the pace is the reader's. */
export function sendAll(socket: WebSocket, texts: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const last = texts.at(-1);
    if (last === undefined || socket.readyState !== socket.OPEN) return resolve();
    for (const text of texts.slice(0, -1)) socket.send(text, () => {});
    socket.send(last, () => resolve());
  });
}
