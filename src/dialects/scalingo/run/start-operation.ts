import { shortId } from '../../../core/names.ts';
import { type Call, param } from '../call.ts';
import type { ScalingoParts } from '../settings.ts';
import { attachUrl } from './attach-url.ts';

/**
 * The operation of a `run` with `async`, which goes by the id of its container: nothing has to be waited for before one can attach, so it
 * always is done. Null when the reference is no container's.
 */
export async function startOneOffOperation(parts: ScalingoParts, call: Call) {
  const reference = param(call, 'operation');
  const oneOffs = await parts.core.oneOffs.list(call.actor, param(call, 'app'));
  const oneOff = oneOffs.find(({ id }) => id === reference || shortId(id) === reference);
  if (oneOff === undefined) return null;
  const at = oneOff.createdAt.toISOString();
  return {
    id: shortId(oneOff.id),
    app_id: shortId(oneOff.appId),
    type: 'start-one-off',
    status: 'done',
    created_at: at,
    finished_at: at,
    start_one_off_data: {
      container_id: shortId(oneOff.id),
      ...(oneOff.state === 'waiting' ? { attach_url: attachUrl(parts, call.baseUrl, oneOff.id) } : {}),
    },
  };
}
