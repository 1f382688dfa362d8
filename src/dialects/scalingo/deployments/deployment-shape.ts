import {
  type Deployment,
  type DeploymentState,
  deploymentState,
  endedAt,
} from '../../../core/deployments/deployment.ts';
import { shortId } from '../../../core/names.ts';
import { derivedId } from '../ids.ts';
import { appUrlOf } from '../links.ts';

export type DeploymentStatus =
  | 'building'
  | 'pushing'
  | 'starting'
  | 'success'
  | 'build-error'
  | 'crashed-error'
  | 'timeout-error'
  | 'aborted';

/** `queued` came to this API in 2020: older clients would take it for an end. */
const statuses: Readonly<Record<DeploymentState, DeploymentStatus>> = {
  queued: 'building',
  building: 'building',
  releasing: 'pushing',
  starting: 'starting',
  succeeded: 'success',
  'build-failed': 'build-error',
  crashed: 'crashed-error',
  'timed-out': 'timeout-error',
  aborted: 'aborted',
};

export const statusOfState = (state: DeploymentState): DeploymentStatus => statuses[state];

/** Clients read `pusher` and `links` of every one without looking. */
export function deploymentShape(deployment: Deployment, name: string, baseUrl: string) {
  const { build, by } = deployment;
  const { commit, version } = build.description;
  const ended = endedAt(deployment);
  return {
    id: build.id,
    app_id: shortId(build.appId),
    created_at: build.createdAt.toISOString(),
    finished_at: ended?.toISOString() ?? null,
    duration: ended === null ? 0 : Math.round((ended.getTime() - build.createdAt.getTime()) / 1000),
    git_ref: commit || version || null,
    status: statuses[deploymentState(deployment)],
    pusher: {
      id: by.id === null ? derivedId('pusher', by.username) : shortId(by.id),
      username: by.username,
      email: by.email,
    },
    links: { output: `${appUrlOf(baseUrl, name)}/deployments/${build.id}/output` },
  };
}
