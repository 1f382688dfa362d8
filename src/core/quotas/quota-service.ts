import type { Actor } from '../access/actor.ts';
import { demand } from '../access/authorize.ts';
import { fetchApp } from '../apps/app-access.ts';
import { invalid, notFound } from '../errors.ts';
import type { CoreContext } from '../ports/core-context.ts';
import { limitOf, type Quota } from './quota.ts';

/** A limit and how much of it is used. */
export interface QuotaUse {
  /** -1: none. */
  readonly limit: number;
  readonly used: number;
}

/** How many apps a team and how many instances an app may have; what reaches a limit is refused where it is asked for. */
export class QuotaService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  async ofTeam(actor: Actor, reference: string): Promise<QuotaUse> {
    const { db } = this.#context;
    const team = await db.teams.find(reference);
    if (team === null) throw notFound('team', reference);
    demand(actor, 'team.read.quota', { teamId: team.id });
    return {
      limit: await limitOf(this.#context, db, { subject: 'team', subjectId: team.id, kind: 'apps' }),
      used: await db.apps.count(team.id),
    };
  }

  async setOfTeam(actor: Actor, reference: string, limit: number): Promise<void> {
    demand(actor, 'team.update.quota');
    const team = await this.#context.db.teams.find(reference);
    if (team === null) throw notFound('team', reference);
    await this.#set({ subject: 'team', subjectId: team.id, kind: 'apps', limit });
  }

  async ofApp(actor: Actor, reference: string): Promise<QuotaUse> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.read.info');
    const processes = await db.processes.list(app.id);
    return {
      limit: await limitOf(this.#context, db, { subject: 'app', subjectId: app.id, kind: 'instances' }),
      used: processes.reduce((sum, process) => sum + process.quantity, 0),
    };
  }

  async setOfApp(actor: Actor, reference: string, limit: number): Promise<void> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.admin.quota');
    await this.#set({ subject: 'app', subjectId: app.id, kind: 'instances', limit });
  }

  async #set(quota: Quota): Promise<void> {
    if (!Number.isInteger(quota.limit) || quota.limit < -1)
      throw invalid('limit', 'a quota is a whole number, or -1 for none', 'out-of-range');
    await this.#context.db.quotas.set(quota);
  }
}
