import type { AppView } from '../../../core/apps/app.ts';
import type { SourceLocation } from '../../../core/ports/builder.ts';
import type { LogBatches } from '../../../core/ports/log-store.ts';
import { Secret } from '../../../core/ports/secret.ts';
import { endSignal } from '../../../http/instance.ts';
import { sendChunks } from '../../../http/streaming/chunks.ts';
import { nameOf } from '../app-shape.ts';
import { type Call, created, noContent, ok, param, type Route } from '../call.ts';
import { unprocessable } from '../errors.ts';
import { needed, rooted, text } from '../fields.ts';
import { offsetOf, pageAsked, pageMeta } from '../pages.ts';
import type { ScalingoParts } from '../settings.ts';
import { deploymentShape } from './deployment-shape.ts';
import { ownSource } from './source-urls.ts';

const PAGE = { usual: 20, max: 50 };
/** More than any build may write. */
const LINES_MAX = 10_000_000;
const REF_MAX = 255;

export function deploymentRoutes(parts: ScalingoParts): readonly Route[] {
  const { core, blobs } = parts;
  const find = (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));

  async function list(call: Call) {
    const app = await find(call);
    const asked = pageAsked(call, PAGE);
    const { items, total } = await core.deployments.list(call.actor, app.id, offsetOf(asked), asked.perPage);
    const deployments = items.map((item) => deploymentShape(item, nameOf(app), call.baseUrl));
    return ok({ deployments, meta: pageMeta(asked, total) });
  }

  async function get(call: Call) {
    const app = await find(call);
    const deployment = await core.deployments.get(call.actor, app.id, param(call, 'deployment'));
    return ok({ deployment: deploymentShape(deployment, nameOf(app), call.baseUrl) });
  }

  async function create(call: Call) {
    const app = await find(call);
    const fields = rooted(call.body, 'deployment');
    const { source, permission } = await sourceInput(needed(fields, 'source_url'));
    const ref = text(fields, 'git_ref') ?? '';
    if (ref.length > REF_MAX || /\p{Cc}/u.test(ref)) throw unprocessable('git_ref', 'should be a short line of text');
    const description = { commit: ref };
    const deployment = await core.deployments.create(call.actor, app.id, { source, description }, permission);
    return created({ deployment: deploymentShape(deployment, nameOf(app), call.baseUrl) });
  }

  /** An address of an upload of ours stands for its bytes; any other is fetched when it is built. */
  async function sourceInput(url: string): Promise<{ source: SourceLocation; permission: string }> {
    const blob = ownSource(parts, url);
    if (blob !== null) {
      if ((await blobs.get(blob)) === null) throw unprocessable('source_url', 'nothing was uploaded there');
      return { source: archive(`upload:${blob}`), permission: 'app.deploy.upload' };
    }
    if (!/^https?:\/\//i.test(url) || URL.parse(url) === null)
      throw unprocessable('source_url', 'should be an http or https URL');
    return { source: archive(url), permission: 'app.deploy.archive-url' };
  }

  async function cancel(call: Call) {
    const app = await find(call);
    const deployment = await core.deployments.cancel(call.actor, app.id, param(call, 'deployment'));
    return ok({ deployment: deploymentShape(deployment, nameOf(app), call.baseUrl) });
  }

  async function clearCache(call: Call) {
    await core.deployments.clearCache(call.actor, (await find(call)).id);
    return noContent;
  }

  const path = '/v1/apps/:app/deployments';
  return [
    { method: 'GET', path, access: 'app.read.deploy', handle: list },
    { method: 'POST', path, access: 'app.deploy.upload', handle: create },
    { method: 'GET', path: `${path}/:deployment`, access: 'app.read.deploy', handle: get },
    {
      method: 'GET',
      path: `${path}/:deployment/output`,
      access: 'app.read.deploy',
      stream: async (call, request, reply) => {
        const app = await find(call);
        const signal = endSignal(request, reply);
        const options = { lines: LINES_MAX, follow: false, signal };
        const lines = await core.deployments.log(call.actor, app.id, param(call, 'deployment'), options);
        reply.type('text/plain; charset=utf-8');
        if (request.method === 'HEAD') return reply.send();
        return sendChunks(reply, { contentType: 'text/plain; charset=utf-8', signal }, texts(lines));
      },
    },
    // No document names an address for it: both words are in use.
    ...['abort', 'cancel'].map(
      (word): Route => ({
        method: 'POST',
        path: `${path}/:deployment/${word}`,
        access: 'app.deploy.build',
        handle: cancel,
      }),
    ),
    { method: 'DELETE', path: '/v1/apps/:app/caches/deployment', access: 'app.deploy.build', handle: clearCache },
  ];
}

const archive = (url: string): SourceLocation => ({ kind: 'archive', url: new Secret(url), checksum: null });

async function* texts(batches: LogBatches): AsyncIterable<string> {
  for await (const { lines } of batches) if (lines.length > 0) yield lines.map((line) => `${line.text}\n`).join('');
}
