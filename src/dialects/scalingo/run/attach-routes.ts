/** What an attached one-off is steered by, beside its stream: files before it begins, the terminal's size, and how it ended. */
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { unavailable } from '../../../core/errors.ts';
import type { InstanceExit } from '../../../core/ports/engine.ts';
import { endSignal } from '../../../http/instance.ts';
import { readMultipart } from '../../../http/streaming/multipart.ts';
import { type Answer, type Call, ok, param, type Route } from '../call.ts';
import { notThere, Refusal, unprocessable } from '../errors.ts';
import { type Fields, fieldsOf } from '../fields.ts';
import type { ScalingoParts } from '../settings.ts';
import { ATTACH_PATH, oneOffIdOf } from './attach-url.ts';
import type { Attachments } from './attachments.ts';

const FILE_BYTES = 100 * 1024 * 1024;
const UPLOAD_DEADLINE_MS = 14 * 60_000;
/** How long somebody may wait for the end before it: as long as a one-off may last. */
const WAIT_MS = 25 * 60 * 60_000;

export function attachRoutes(parts: ScalingoParts, attachments: Attachments): readonly Route[] {
  const { core } = parts;
  /** Checked before anything is read: others learn nothing from what is wrong with their input. */
  async function idOf(call: Call): Promise<string> {
    const id = oneOffIdOf(parts, param(call, 'attachment'));
    await core.attachments.get(call.actor, id);
    return id;
  }

  async function resize(call: Call): Promise<Answer> {
    const id = await idOf(call);
    const fields = fieldsOf(call.body);
    await core.attachments.resize(call.actor, id, {
      columns: sizeInput(fields, 'width'),
      rows: sizeInput(fields, 'height'),
    });
    attachments.hasSize(id);
    return ok({});
  }

  async function upload(call: Call): Promise<Answer> {
    const id = await idOf(call);
    const body = call.body instanceof Readable ? call.body : Readable.from([]);
    let files = 0;
    for await (const { name, fileName, bytes } of readMultipart(contentTypeOf(call), body)) {
      if (name !== 'file' || fileName === null) continue;
      await core.attachments.addFile(call.actor, id, baseName(fileName), bytes, FILE_BYTES);
      files += 1;
    }
    if (files === 0) throw unprocessable('file', 'missing field');
    return ok({});
  }

  const path = `${ATTACH_PATH}:attachment`;
  return [
    { method: 'PUT', path, access: 'app.run', handle: resize },
    {
      method: 'POST',
      path: `${path}/files`,
      access: 'app.run',
      rawBody: true,
      bodyLimitBytes: FILE_BYTES + 64 * 1024,
      deadlineMs: UPLOAD_DEADLINE_MS,
      handle: upload,
    },
    {
      method: 'GET',
      path: `${path}/wait`,
      access: 'app.run',
      deadlineMs: WAIT_MS,
      stream: async (call, request, reply) => {
        const id = await idOf(call);
        const exit = await core.attachments.ended(call.actor, id, endSignal(request, reply));
        if (attachments.wasIdle(id))
          throw new Refusal(408, { error: 'the container was stopped: nothing was said for too long' });
        if (exit === null) throw notThere('container');
        reply.header('content-type', 'application/json');
        return reply.send(JSON.stringify({ exit_code: exitCode(exit) }));
      },
    },
  ];
}

/** Clients send them as texts. */
function sizeInput(fields: Fields, name: string): number {
  const value = fields[name];
  const size = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > 9_999)
    throw unprocessable(name, 'should be a number of characters');
  return size;
}

const contentTypeOf = ({ headers }: Call): string | undefined => headers['content-type'];

/** Some clients send the whole path. */
const baseName = (fileName: string): string => fileName.replace(/^.*[/\\]/, '');

/** As a shell tells it: 128 and the number of the signal. */
function exitCode({ code, signal, startError }: InstanceExit): number {
  if (startError !== null) throw unavailable(`the container could not be started: ${startError}`);
  if (code !== null) return code;
  const number = (constants.signals as Readonly<Record<string, number>>)[signal ?? ''];
  return 128 + (number ?? 0);
}
