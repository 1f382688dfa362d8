/** What the platform as a whole offers, and lists that are empty because it has nothing of the kind. */
import { baseUrlOf } from './base-url.ts';
import { ok, param, type Route } from './call.ts';
import type { ScalingoParts } from './settings.ts';

/** Kinds of things of an app that the platform has none of: the last part of the path, and the key of the list. */
const emptyOfApp = [
  ['autoscalers', 'autoscalers'],
  ['notifiers', 'notifiers'],
  ['notifications', 'notifications'],
  ['alerts', 'alerts'],
  ['cron_tasks', 'jobs'],
  ['log_drains', 'drains'],
] as const;

const emptyOfPlatform = [
  ['/v1/notification_platforms', 'notification_platforms'],
  ['/v1/features/stacks', 'stacks'],
] as const;

const emptyOfAccount = [
  ['/v1/scm_integrations', 'scm_integrations'],
  ['/v1/scm_repo_links', 'scm_repo_links'],
  ['/v1/projects', 'projects'],
] as const;

export function platformRoutes({ core, settings }: ScalingoParts): readonly Route[] {
  const open = (path: string, body: (baseUrl: string) => unknown): Route => ({
    method: 'GET',
    path,
    access: 'public',
    respond: async (request, reply) =>
      reply
        .header('content-type', 'application/json')
        .send(JSON.stringify(body(baseUrlOf(request.headers, settings.publicUrl)))),
  });

  return [
    open('/v1/regions', (baseUrl) => ({
      regions: [
        {
          name: settings.regionName,
          display_name: settings.regionName,
          api: baseUrl,
          dashboard: settings.billingUrl.replace(/\/$/, ''),
          database_api: baseUrl,
          ssh: settings.sshAddress,
          default: true,
        },
      ],
    })),
    ...emptyOfPlatform.map(([path, key]) => open(path, () => ({ [key]: [] }))),
    ...emptyOfAccount.map(
      ([path, key]): Route => ({ method: 'GET', path, access: 'signed-in', handle: async () => ok({ [key]: [] }) }),
    ),
    ...emptyOfApp.map(
      ([path, key]): Route => ({
        method: 'GET',
        path: `/v1/apps/:app/${path}`,
        access: 'app.read.info',
        handle: async (call) => {
          await core.apps.get(call.actor, param(call, 'app'));
          return ok({ [key]: [] });
        },
      }),
    ),
  ];
}
