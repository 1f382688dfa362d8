import type { AppView } from '../../core/apps/app.ts';
import type { Build } from '../../core/builds/build.ts';
import { appKey } from './app-shape.ts';
import { buildLines } from './build-lines.ts';
import { buildShape, buildStatus, outputUrl } from './build-shape.ts';
import { sourceInput } from './build-source.ts';
import { type Call, created, ok, param, type Route } from './call.ts';
import { elevatedIn } from './elevated.ts';
import { Refusal, unprocessable } from './errors.ts';
import { type Fields, fieldsOf, text } from './fields.ts';
import { allPages } from './pages.ts';
import type { AkkerisParts } from './settings.ts';
import { uuidInput } from './uuid-input.ts';

/** Long enough for a source that arrives over a slow line. */
const UPLOAD_DEADLINE_MS = 14 * 60_000;

export function buildRoutes({ core, settings, blobs }: AkkerisParts): readonly Route[] {
  const find = async (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));
  const findBuild = async (call: Call, app: AppView): Promise<Build> =>
    core.builds.get(call.actor, app.id, uuidInput(param(call, 'build')));
  const shape = (build: Build, app: AppView) => buildShape(build, appKey(app), settings.publicUrl);

  async function create(call: Call): Promise<unknown> {
    const app = await find(call);
    elevatedIn(call, app);
    const fields = fieldsOf(call.body);
    const checksum = text(fields, 'checksum');
    const source = await sourceInput(text(fields, 'url'), checksum, blobs, settings.sourceBodyBytes);
    const description = { ...descriptionInput(fields, call.username), checksum: checksum ?? '' };
    const build = await core.builds.create(call.actor, app.id, { source, description });
    return shape(build, app);
  }

  async function rebuild(call: Call): Promise<unknown> {
    const app = await find(call);
    elevatedIn(call, app);
    const old = await findBuild(call, app);
    if (!(await hasSource(old))) throw unprocessable('The sources of the specified build are no longer available.');
    return shape(await core.builds.rebuild(call.actor, app.id, old.id), app);
  }

  async function hasSource({ source }: Build): Promise<boolean> {
    const upload = source.kind === 'archive' ? /^upload:(.+)$/.exec(source.url.reveal())?.[1] : undefined;
    return upload === undefined || (await blobs.get(upload)) !== null;
  }

  async function stop(call: Call): Promise<unknown> {
    const app = await find(call);
    const build = await findBuild(call, app);
    if (build.status !== 'running')
      throw new Refusal(409, `The specified build cannot be stopped, it is ${buildStatus(build)}.`);
    await core.builds.cancel(call.actor, app.id, build.id);
    return {
      id: build.id,
      status: 'failed',
      output_stream_url: outputUrl(build, appKey(app), settings.publicUrl),
    };
  }

  async function result(call: Call): Promise<unknown> {
    const app = await find(call);
    // The build first: a line that is written before it ends is then surely among those read after.
    const build = await findBuild(call, app);
    const lines = await buildLines(core, call.actor, app.id, build);
    const url = outputUrl(build, appKey(app), settings.publicUrl);
    return { build: { id: build.id, status: buildStatus(build), output_stream_url: url }, lines };
  }

  const path = '/apps/:app/builds';
  return [
    {
      method: 'GET',
      path,
      access: 'app.read.deploy',
      handle: async (call) => {
        const app = await find(call);
        const builds = await allPages((page) => core.builds.list(call.actor, app.id, page));
        return ok(builds.map((build) => shape(build, app)));
      },
    },
    {
      method: 'POST',
      path,
      access: 'app.deploy.build',
      bodyLimitBytes: settings.sourceBodyBytes,
      deadlineMs: UPLOAD_DEADLINE_MS,
      handle: async (call) => created(await create(call)),
    },
    {
      method: 'GET',
      path: `${path}/:build`,
      access: 'app.read.deploy',
      handle: async (call) => {
        const app = await find(call);
        return ok(shape(await findBuild(call, app), app));
      },
    },
    {
      method: 'GET',
      path: `${path}/:build/result`,
      access: 'app.read.deploy',
      handle: async (call) => ok(await result(call)),
    },
    {
      method: 'PUT',
      path: `${path}/:build`,
      access: 'app.deploy.build',
      handle: async (call) => created(await rebuild(call)),
    },
    {
      method: 'DELETE',
      path: `${path}/:build`,
      access: 'app.deploy.build',
      handle: async (call) => ({ status: 205, body: await stop(call) }),
    },
    {
      method: 'GET',
      path: '/slugs/:slug',
      access: 'app.read.deploy',
      handle: async (call) => {
        const build = await core.builds.getAny(call.actor, uuidInput(param(call, 'slug')));
        return ok(buildShape(build, build.appId, settings.publicUrl));
      },
    },
  ];
}

function descriptionInput(fields: Fields, username: string) {
  const read = (name: string): string => text(fields, name) ?? '';
  return {
    version: read('version'),
    commit: read('sha') || read('commit'),
    branch: read('branch'),
    author: read('author') || username,
    repository: read('repo'),
    message: read('message'),
  };
}
