/**
 * The three things that the SSH library does but does not offer: the reason of a refused tunnel, the algorithm that it confirms for a key, and
 * channel requests of names it does not know. Everything here leans on its inside, so its version is pinned and the tests cover each.
 */
import type { Connection, PublicKeyAuthContext } from 'ssh2';

interface Session {
  readonly _chanInfo?: { readonly outgoing: { readonly id: number } };
}
type OnChannelRequest = (protocol: unknown, recipient: number, type: string, wantReply: boolean, data: unknown) => void;
interface Protocol {
  readonly _handlers: { CHANNEL_REQUEST: OnChannelRequest };
  readonly _packetRW: {
    readonly write: { allocStart: number; alloc(bytes: number): Buffer; finalize(packet: Buffer): Buffer };
  };
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _kexinit?: unknown;
  _queue?: Buffer[] | undefined;
  channelOpenFail(recipient: number, reason: number, words: string): void;
  channelSuccess(recipient: number): void;
}
interface Inside {
  readonly _protocol: Protocol;
  readonly _chanMgr: { get(id: number): unknown };
  readonly authenticated: boolean;
}

const CHANNEL_REQUEST = 98;
const ADMINISTRATIVELY_PROHIBITED = 1;

const insideOf = (client: Connection): Inside => client as unknown as Inside;

/** Refuses a channel as administratively prohibited; the library's own `reject` would say that the connection failed. */
export function prohibit(client: Connection, reject: () => void, words: string): void {
  const protocol = insideOf(client)._protocol;
  const original = protocol.channelOpenFail;
  protocol.channelOpenFail = (recipient) => original.call(protocol, recipient, ADMINISTRATIVELY_PROHIBITED, words);
  try {
    reject();
  } finally {
    protocol.channelOpenFail = original;
  }
}

/** Says that a signature by this key would do, in the words of the client's question: strict clients compare them. */
export function acceptKey(context: PublicKeyAuthContext): void {
  if (context.key.algo === 'ssh-rsa' && context.hashAlgo !== undefined)
    context.key.algo = context.hashAlgo === 'sha512' ? 'rsa-sha2-512' : 'rsa-sha2-256';
  context.accept();
}

/**
 * Listens for channel requests of these names on sessions. `answer` gets the name; the text it resolves with goes back as a request of the
 * same name, which is how such clients are answered. Null sends nothing.
 */
export function onNamedRequest(
  client: Connection,
  names: readonly string[],
  answer: (name: string) => Promise<string | null>,
): void {
  const inside = insideOf(client);
  const handlers = inside._protocol._handlers;
  const original = handlers.CHANNEL_REQUEST;
  handlers.CHANNEL_REQUEST = (protocol, recipient, type, wantReply, data) => {
    const channel = (inside._chanMgr.get(recipient) as Session | undefined)?._chanInfo?.outgoing.id;
    if (!names.includes(type) || !inside.authenticated || channel === undefined)
      return original(protocol, recipient, type, wantReply, data);
    if (wantReply) inside._protocol.channelSuccess(channel);
    void answer(type).then((text) => {
      if (text !== null) sendRequest(inside._protocol, channel, type, text);
    });
  };
}

/** RFC 4254, 5.4: the channel, the name, no reply wanted, then the payload as it is. */
export function sendRequest(protocol: Protocol, channel: number, name: string, payload: string): void {
  const head = Buffer.alloc(9);
  head.writeUInt8(CHANNEL_REQUEST, 0);
  head.writeUInt32BE(channel, 1);
  head.writeUInt32BE(Buffer.byteLength(name), 5);
  const bytes = Buffer.concat([head, Buffer.from(name), Buffer.from([0]), Buffer.from(payload)]);
  const { write } = protocol._packetRW;
  const start = write.allocStart;
  const packet = write.alloc(bytes.length);
  packet.set(bytes, start);
  const whole = write.finalize(packet);
  if (protocol._kexinit === undefined) protocol._cipher.encrypt(whole);
  else protocol._queue = [...(protocol._queue ?? []), whole];
}
