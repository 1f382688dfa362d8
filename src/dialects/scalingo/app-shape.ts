import type { AppView } from '../../core/apps/app.ts';
import type { AppActivity } from '../../core/apps/app-activity.ts';
import type { OwnerView } from '../../core/apps/app-ownership-service.ts';
import { shortId } from '../../core/names.ts';
import type { AppStatus } from './app-status.ts';
import { deploymentsStreamUrl, gitUrl } from './links.ts';
import type { ScalingoSettings } from './settings.ts';
import { personShape } from './user-shape.ts';

export interface AppSurroundings {
  readonly status: AppStatus;
  readonly owner: OwnerView | undefined;
  readonly deployed: AppActivity['deployed'];
  readonly parentName: string | null;
  readonly gitSource: string | null;
  readonly baseUrl: string;
  readonly settings: ScalingoSettings;
}

/** What this API calls an app: its handle, which is unique over the platform. */
export const nameOf = (app: Pick<AppView, 'handle'>): string => app.handle;

export function appShape(app: AppView, about: AppSurroundings) {
  const { status, deployed, baseUrl, settings } = about;
  const name = nameOf(app);
  const url = settings.appUrl(app.handle);
  return {
    id: shortId(app.id),
    uuid: app.id,
    name,
    status,
    owner: personShape(about.owner ?? { id: app.teamId, username: app.teamName, email: '' }),
    created_at: app.createdAt.toISOString(),
    updated_at: app.updatedAt.toISOString(),
    last_deployed_at: deployed?.at.toISOString() ?? null,
    last_deployed_by: deployed?.by ?? null,
    last_deployment_id: deployed?.buildId ?? null,
    git_url: gitUrl(settings, name),
    git_source: about.gitSource,
    url,
    base_url: url,
    urls: [url.replace(/^https?:\/\//, '')],
    links: { deployments_stream: deploymentsStreamUrl(baseUrl, name) },
    parent_app_name: about.parentName,
    region: settings.regionName,
    force_https: false,
    sticky_session: false,
    router_logs: false,
    stack_id: null,
    hds_resource: false,
    flags: {},
    limits: {},
  };
}
