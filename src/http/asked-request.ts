/**
 * Requests of which the server is asked, before anything after their head is read, whether they take the connection over: not only those
 * with an `Upgrade` header, for which Node asks by itself. Node reads what follows the head of any other request as its body and then as the
 * next request, so a client's bytes for a program would be taken for requests. Node's parser asks by the property `upgrade`: it writes there
 * what the client wants, reads whether to call `shouldUpgradeCallback`, and writes that one's decision there.
 */
import { IncomingMessage } from 'node:http';

const state = Symbol('what became of the upgrade');
/** The client's wish, then the server's decision. */
interface UpgradeState {
  wanted: boolean;
  decided: boolean | null;
}

export class AskedRequest extends IncomingMessage {
  declare [state]?: UpgradeState;

  get upgrade(): boolean {
    return this[state]?.decided ?? true;
  }
  /** Called by the base class, with null; by the parser, before it knows the method; and with the decision. */
  set upgrade(value: boolean | null) {
    this[state] ??= { wanted: false, decided: null };
    if (this.method == null) this[state].wanted = value === true;
    else this[state].decided = value === true;
  }

  /** Whether the client sent an `Upgrade` header that counts. */
  get wantsUpgrade(): boolean {
    return this[state]?.wanted ?? false;
  }
}
