import type { AppView } from '../../core/apps/app.ts';
import { BerthError, notFound } from '../../core/errors.ts';
import type { Release } from '../../core/releases/release.ts';
import { appKey } from './app-shape.ts';
import { type Call, created, ok, param, type Route } from './call.ts';
import { derivedId } from './derived-id.ts';
import { Refusal, unprocessable } from './errors.ts';
import { fieldsOf, text } from './fields.ts';
import { allPages } from './pages.ts';
import { type HistoryEntry, readHistory } from './release-history.ts';
import type { AkkerisParts } from './settings.ts';
import { uuidInput } from './uuid-input.ts';

export function releaseRoutes({ core }: AkkerisParts): readonly Route[] {
  const find = async (call: Call): Promise<AppView> => core.apps.get(call.actor, param(call, 'app'));

  async function create(call: Call): Promise<unknown> {
    const app = await find(call);
    const fields = fieldsOf(call.body);
    const [slug, release] = [text(fields, 'slug'), text(fields, 'release')];
    if ((slug === undefined) === (release === undefined))
      throw unprocessable('Either a slug or a release must be specified, and not both.');
    const given = text(fields, 'description');
    const options = given === undefined || given === '' ? {} : { description: given };
    const made =
      release === undefined
        ? await deploy(call, app, slug ?? '', options)
        : await core.releases.rollback(call.actor, app.id, uuidInput(release), options);
    const entry = await entryOf(call, app, made.id);
    return { ...releaseShape(entry, app), status: 'queued' };
  }

  async function deploy(call: Call, app: AppView, slug: string, options: { description?: string }): Promise<Release> {
    const build = slug === 'latest' ? await latestBuild(call, app) : uuidInput(slug);
    try {
      return await core.releases.deploy(call.actor, app.id, build, options);
    } catch (error) {
      // A build that is not there, or another app's, is a conflict here.
      if (error instanceof BerthError && error.kind === 'not-found' && error.details.noun === 'build')
        throw new Refusal(409, 'The specified build does not exist on this application.');
      throw error;
    }
  }

  async function latestBuild(call: Call, app: AppView): Promise<string> {
    const builds = await allPages((page) => core.builds.list(call.actor, app.id, page));
    const build = builds.findLast(({ status }) => status === 'succeeded');
    if (build === undefined) throw new Refusal(409, 'The application has no successful build to release.');
    return build.id;
  }

  async function entryOf(call: Call, app: AppView, id: string): Promise<HistoryEntry> {
    const entry = (await readHistory(core, call.actor, app.id)).find(({ release }) => release.id === id);
    if (entry === undefined) throw notFound('release', id);
    return entry;
  }

  const path = '/apps/:app/releases';
  return [
    {
      method: 'GET',
      path,
      access: 'app.read.deploy',
      handle: async (call) => {
        const app = await find(call);
        return ok((await readHistory(core, call.actor, app.id)).map((entry) => releaseShape(entry, app)));
      },
    },
    { method: 'POST', path, access: 'app.deploy', handle: async (call) => created(await create(call)) },
    {
      method: 'GET',
      path: `${path}/:release`,
      access: 'app.read.deploy',
      handle: async (call) => {
        const app = await find(call);
        return ok(releaseShape(await entryOf(call, app, uuidInput(param(call, 'release'))), app));
      },
    },
  ];
}

const releaseShape = ({ release, version, status, current }: HistoryEntry, app: AppView) => ({
  app: { id: app.id, name: appKey(app) },
  created_at: release.createdAt.toISOString(),
  current,
  description: release.description,
  id: release.id,
  release_statuses: [],
  slug: { id: release.buildId ?? '' },
  // The worst of the release's statuses; without any it counts as fine.
  state: 'success',
  status,
  updated_at: release.updatedAt.toISOString(),
  user: { id: derivedId(release.createdBy), email: '' },
  version,
});
