/**
 * `POST …/exec`: a command beside the instance. Unless it is detached the connection becomes the command's: the client's bytes after the body
 * are its stdin, its output is the rest of the answer, and its end closes the connection. The same with `Connection: Upgrade` and
 * `Upgrade: tcp` as without, and the answer is an ordinary 200 both times, as the document says.
 *
 * A terminal has the size of the query's `h` and `w` (rows and columns, as Docker names them), else 24 × 80. The answer's header `Exec-Id`
 * names it for `POST …/exec/{id}/resize?h=&w=`. That and the query are additions: the documents know no resizing.
 */
import type { Duplex } from 'node:stream';
import type { Actor } from '../../../core/access/actor.ts';
import type { ExecSession } from '../../../core/ports/engine.ts';
import { knownFailure } from '../../../http/failure.ts';
import { carrySession, hangUp } from '../../../http/streaming/carry-session.ts';
import { endSoftly } from '../../../http/streaming/end-softly.ts';
import { takeBody } from '../../../http/streaming/taken-body.ts';
import type { RawRoute, UpgradeRequest } from '../../../http/streaming/upgrades.ts';
import { authenticate } from '../auth.ts';
import { answer, type Call, param, type Route } from '../call.ts';
import type { Envelope } from '../envelope.ts';
import { asRefusal, Refusal } from '../errors.ts';
import { organizationOf } from '../scope.ts';
import type { GiantSwarmParts } from '../settings.ts';
import { type ExecInput, parseExec, terminalSize } from './exec-input.ts';
import type { ExecSessions } from './exec-sessions.ts';
import { type FoundInstance, instanceOf, noSuchInstance } from './find-instance.ts';
import { multiplexed, STDERR, STDOUT } from './multiplex.ts';
import { rawAnswer, refusalText } from './raw-answer.ts';

const BODY = { maxBytes: 1024 * 1024, timeoutMs: 30_000 };
const SIZE = { columns: 80, rows: 24 };
const EXEC_ID_BYTES = 12;

interface OpenExec {
  readonly actor: Actor;
  readonly found: FoundInstance;
  readonly input: ExecInput;
  readonly session: ExecSession;
}

export function execUpgrades(parts: GiantSwarmParts, sessions: ExecSessions): readonly RawRoute[] {
  const { core, ids, logger } = parts;

  async function open({ raw, url, params }: UpgradeRequest, socket: Duplex, head: Buffer): Promise<OpenExec> {
    const actor = await authenticate(core, raw.headers);
    const found = await instanceOf(parts, { actor, params, query: {}, body: undefined });
    const input = parseExec(await takeBody(raw, socket, head, BODY));
    const size = terminalSize(url.searchParams) ?? SIZE;
    const session = await core.instances.exec(actor, found.app.id, runningIn(found), {
      command: input.command,
      ...(input.terminal ? { terminal: size } : {}),
    });
    return { actor, found, input, session };
  }

  async function take(request: UpgradeRequest, socket: Duplex, head: Buffer): Promise<void> {
    const requestId = ids.id();
    let exec: OpenExec;
    try {
      exec = await open(request, socket, head);
    } catch (error) {
      const failure = knownFailure(error);
      const refusal = asRefusal(failure, error, requestId);
      if (refusal.status >= 500) logger.error({ requestId, err: error }, 'an exec failed');
      endSoftly(socket, refusalText(refusal, requestId));
      return;
    }
    if (exec.input.detach) {
      detach(exec.session);
      endSoftly(socket, rawAnswer(200, 'application/json; charset=utf-8', requestId, JSON.stringify(answer('data'))));
    } else await attach(exec, socket, requestId);
  }

  async function attach({ actor, found, input, session }: OpenExec, socket: Duplex, requestId: string): Promise<void> {
    if (socket.destroyed) return hangUp(session);
    const id = ids.token(EXEC_ID_BYTES);
    const forget = sessions.add(id, {
      session,
      teamId: found.app.teamId,
      instance: found.seat.id,
      startedBy: starter(actor),
    });
    socket.write(rawAnswer(200, 'application/vnd.docker.raw-stream', requestId, null, { 'Exec-Id': id }));
    const encode = (stream: typeof STDOUT | typeof STDERR) => (piece: Buffer) =>
      input.framed ? multiplexed(stream, piece) : piece;
    await carrySession(session, socket, {
      stdin: input.attach.stdin,
      stdout: input.attach.stdout ? encode(STDOUT) : null,
      stderr: input.attach.stderr ? encode(STDERR) : null,
    }).finally(forget);
  }

  const path = /^\/v1\/(?:org|company)\/(?<org>[^/]+)\/instance\/(?<instance>[^/]+)\/exec\/?$/;
  return [{ path, methods: ['POST'], withoutUpgrade: true, take }];
}

export function execRoutes(parts: GiantSwarmParts, sessions: ExecSessions): readonly Route[] {
  async function resize(call: Call): Promise<Envelope> {
    const team = await organizationOf(parts.core, call);
    const exec = sessions.find(param(call, 'exec'));
    const query = Object.entries(call.query).map(([name, value]): [string, string] => [name, String(value)]);
    if (exec?.teamId !== team.id || exec.startedBy !== starter(call.actor)) throw noSuchExec();
    if (!exec.instance.startsWith(param(call, 'instance'))) throw noSuchInstance();
    const size = terminalSize(new URLSearchParams(query));
    if (size !== null) await exec.session.resize(size);
    return answer('updated');
  }

  const path = '/v1/org/:org/instance/:instance/exec/:exec/resize';
  return [{ method: 'POST', path, access: 'app.run', handle: resize }];
}

const noSuchExec = (): Refusal => new Refusal(404, null, 'exec not found');
const starter = (actor: Actor): string => actor.userId ?? actor.tokenId ?? actor.name;

/** The id of what runs in the seat now; one that nobody has answers as an instance that does not run. */
const runningIn = ({ seat }: FoundInstance): string => {
  if (seat.instance === null) throw new Refusal(400, 'userError', 'the instance does not run');
  return seat.instance.id;
};

/** It goes on without stdin and without readers, as long as this server holds its session. */
function detach(session: ExecSession): void {
  session.stdin.end();
  session.stdout.resume();
  session.stderr?.resume();
  session.exit.catch(() => {});
}
