import type { CollaboratorView } from '../../core/collaborators/collaborator.ts';
import { unauthenticated } from '../../core/errors.ts';
import { shortId } from '../../core/names.ts';
import { Secret } from '../../core/ports/secret.ts';
import { showApp } from './app-views.ts';
import { type Call, created, noContent, ok, param, queried, type Route } from './call.ts';
import { notThere } from './errors.ts';
import { needed, rooted } from './fields.ts';
import { byShownId } from './ids.ts';
import type { ScalingoParts } from './settings.ts';

export function collaboratorRoutes(parts: ScalingoParts): readonly Route[] {
  const { core } = parts;

  async function list(call: Call) {
    const collaborators = await core.collaborators.list(call.actor, param(call, 'app'));
    return ok({ collaborators: collaborators.map(collaboratorShape) });
  }

  /** The platform sends no mail: whoever invites passes the link on. Documents show a list here, clients read one. */
  async function invite(call: Call) {
    const email = needed(rooted(call.body, 'collaborator'), 'email');
    const { collaborator, token } = await core.collaborators.invite(call.actor, param(call, 'app'), email);
    const shown = {
      ...collaboratorShape(collaborator),
      invitation_link: `${call.baseUrl}/v1/apps/collaboration?token=${token.reveal()}`,
    };
    const answer = created({ collaborator: shown, collaborators: [shown] });
    return { ...answer, headers: { 'cache-control': 'no-store' } };
  }

  async function remove(call: Call) {
    const app = param(call, 'app');
    const known = await core.collaborators.list(call.actor, app);
    const { id } = byShownId('collaborator', known, param(call, 'collaborator'));
    await core.collaborators.remove(call.actor, app, id);
    return noContent;
  }

  /** The app itself, without a root. */
  async function accept(call: Call) {
    const token = queried(call, 'token') ?? '';
    if (token === '') throw notThere('invitation');
    const app = await core.collaborators.accept(call.actor, new Secret(token));
    // The rights that come with it are not yet the caller's.
    const actor = call.actor.userId === null ? null : await core.authenticator.byUser(call.actor.userId);
    if (actor === null) throw unauthenticated();
    return ok(await showApp(parts, { ...call, actor }, app));
  }

  const path = '/v1/apps/:app/collaborators';
  return [
    { method: 'GET', path: '/v1/apps/collaboration', access: 'signed-in', handle: accept },
    { method: 'GET', path, access: 'app.read.info', handle: list },
    { method: 'POST', path, access: 'app.update.grant', handle: invite },
    { method: 'DELETE', path: `${path}/:collaborator`, access: 'app.update.revoke', handle: remove },
  ];
}

export const collaboratorShape = ({ id, appId, email, username, userId, status }: CollaboratorView) => ({
  id: shortId(id),
  app_id: shortId(appId),
  email,
  username: username ?? 'n/a',
  user_id: userId === null ? null : shortId(userId),
  status,
  is_limited: false,
});
