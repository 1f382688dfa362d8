import type { AppView } from '../../core/apps/app.ts';
import type { Call } from './call.ts';
import { Refusal } from './errors.ts';
import { isControlled } from './space-shape.ts';

/** Throws a 403 refusal without elevated access. */
export function elevatedOnly(call: Pick<Call, 'elevated'>): void {
  if (!call.elevated) throw new Refusal(403, 'You do not have permission to perform this operation.');
}

/** In `socs` and `prod` spaces some operations need elevated access. */
export function elevatedIn(call: Pick<Call, 'elevated'>, app: AppView): void {
  if (isControlled(app.spaceCompliance)) elevatedOnly(call);
}
