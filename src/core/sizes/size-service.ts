import type { Actor } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Size } from './size.ts';

export class SizeService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }
  /** Every signed-in user may see the sizes. */
  async list(actor: Actor): Promise<readonly Size[]> {
    demand(actor, 'plan.read');
    return this.#context.db.sizes.list();
  }
}
