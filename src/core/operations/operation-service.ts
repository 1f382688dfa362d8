import type { Actor } from '../access/actor.ts';
import { fetchApp } from '../apps/app-access.ts';
import { notFound } from '../errors.ts';
import type { CoreContext } from '../ports/core-context.ts';
import type { Operation } from './operation.ts';

/** How far the work is that a request asked for. */
export class OperationService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** By id, short ones too; another app's answers as not there. */
  async get(actor: Actor, appReference: string, reference: string): Promise<Operation> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, appReference, 'app.read.info');
    const operation = await db.operations.find(reference);
    if (operation === null || operation.appId !== app.id) throw notFound('operation', reference);
    return operation;
  }
}
