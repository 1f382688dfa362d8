import type { AppView } from '../../core/apps/app.ts';
import type { ProcessView } from '../../core/processes/process.ts';
import { derivedId } from './derived-id.ts';
import { processShape } from './formation-shape.ts';
import type { AkkerisSettings } from './settings.ts';
import { complianceTag } from './space-shape.ts';
import { regionReference, stackReference } from './stacks.ts';

/** What this API calls an app everywhere: `name-space`. One in a team's own space goes by its handle, which is unique. */
export const appKey = (app: Pick<AppView, 'name' | 'spaceName' | 'handle' | 'spaceTeamId'>): string =>
  app.spaceTeamId === null ? `${app.name}-${app.spaceName}` : app.handle;

export function appShape(app: AppView, processes: readonly ProcessView[], settings: AkkerisSettings) {
  const key = appKey(app);
  const createdAt = app.createdAt.toISOString();
  const teamId = derivedId(app.teamName);
  return {
    archived_at: createdAt,
    buildpack_provided_description: 'default',
    build_stack: stackReference,
    created_at: createdAt,
    description: app.description,
    formation: processes.map(processShape),
    git_branch: null,
    git_url: null,
    id: app.id,
    key,
    labels: app.labels.join(','),
    maintenance: app.maintenance,
    name: key,
    simple_name: app.name,
    organization: { id: app.teamId, name: app.teamName },
    owner: { email: '', id: teamId },
    preview: null,
    region: regionReference,
    released_at: app.releasedAt?.toISOString() ?? null,
    repo_size: 0,
    slug_size: 0,
    space: { id: app.spaceId, name: app.spaceName, compliance: complianceTag(app.spaceCompliance) },
    stack: stackReference,
    updated_at: app.updatedAt.toISOString(),
    web_url: settings.appUrl(app.handle),
  };
}

/** What only a single app shows: a name for what it runs, '' before the first release. */
export const imageOf = (app: AppView): string =>
  app.currentReleaseId === null ? '' : `${app.handle}:${app.currentReleaseId}`;

export function simpleAppShape(app: AppView, settings: AkkerisSettings): unknown {
  const key = appKey(app);
  return {
    created_at: app.createdAt.toISOString(),
    description: app.description,
    id: app.id,
    labels: app.labels.join(','),
    maintenance: app.maintenance,
    name: key,
    simple_name: app.name,
    key,
    organization: { id: app.teamId, name: app.teamName },
    preview: null,
    region: regionReference,
    space: { id: app.spaceId, name: app.spaceName },
    updated_at: app.updatedAt.toISOString(),
    web_url: settings.appUrl(app.handle),
  };
}
