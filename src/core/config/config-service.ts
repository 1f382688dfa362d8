import type { Actor } from '../access/actor.ts';
import type { AppView } from '../apps/app.ts';
import { fetchApp } from '../apps/app-access.ts';
import { conflict, invalid } from '../errors.ts';
import { record } from '../events/record.ts';
import { configName } from '../names.ts';
import type { CoreContext } from '../ports/core-context.ts';
import { Secret } from '../ports/secret.ts';
import { baseRelease } from '../releases/base-release.ts';
import { createRelease } from '../releases/create-release.ts';
import type { ConfigVar } from './config.ts';

const VALUE_MAX_BYTES = 64 * 1024;
const TOTAL_MAX_BYTES = 512 * 1024;

export type ConfigChange = Readonly<Record<string, string | null>>;

export interface UpdateConfig {
  /** Whoever asked named one variable and not a list of them; the event says so. */
  readonly single?: boolean;
}

export class ConfigService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /** All that the app's processes get, with where each comes from, by name. */
  async list(actor: Actor, reference: string): Promise<readonly ConfigVar[]> {
    const app = await fetchApp(this.#context.db, actor, reference, 'app.read.env');
    return this.#merged(app);
  }

  /**
   * Sets (text) and removes (null) variables in one transaction; a running app gets a release with them. Throws conflict
   * `config-absent` for removing one that is not set, `config-owned` for one that an addon owns.
   */
  async update(
    actor: Actor,
    reference: string,
    change: ConfigChange,
    options: UpdateConfig = {},
  ): Promise<readonly ConfigVar[]> {
    const { db, clock } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.env');
    const entries = Object.entries(change).map(([name, value]) => ({ name: configName(name, name), value }));
    await db.transaction(async (stores) => {
      await stores.apps.lock(app.id);
      const before = await this.#merged(app);
      const owned = new Map(before.map((item) => [item.name as string, item]));
      for (const { name, value } of entries) checkEntry(name, value, owned.get(name));
      const set = entries.flatMap(({ name, value }): ConfigVar[] => {
        if (value === null) return [];
        const known = owned.get(name);
        const notes = { description: known?.description ?? '', required: known?.required ?? false };
        return [{ source: 'app', ownerId: app.id, name, value: new Secret(value), ...notes, updatedAt: clock.now() }];
      });
      await stores.config.set(set);
      await stores.config.remove(
        'app',
        app.id,
        entries.flatMap(({ name, value }) => (value === null ? [name] : [])),
      );
      const environment = await stores.config.resolve(app.id);
      checkTotal(environment);
      const changed = entries.filter(({ name, value }) => owned.get(name)?.value.reveal() !== value);
      await record(
        this.#context,
        stores,
        actor,
        'ConfigChanged',
        { app },
        {
          set: changed.flatMap(({ name, value }) => (value === null ? [] : [name])),
          added: changed.flatMap(({ name, value }) => (value === null || owned.has(name) ? [] : [name])),
          single: options.single ?? false,
          removed: changed.flatMap(({ name, value }) => (value === null ? [name] : [])),
        },
      );
      const base = changed.length === 0 ? null : await baseRelease(stores, app);
      if (base !== null) {
        await createRelease(this.#context, stores, actor, app, {
          kind: 'config',
          artifactDigest: base.artifactDigest,
          buildId: base.buildId,
          commands: base.commands,
          processes: base.processes,
          strategy: base.strategy,
          description: `Set ${changed.map(({ name }) => name).join(', ')} config vars`,
          environment,
          rollbackOf: null,
        });
      }
    });
    return this.#merged(app);
  }

  /** Changes what is said about variables, not their values. Throws invalid `unknown-variable`. */
  async annotate(
    actor: Actor,
    reference: string,
    notes: Readonly<Record<string, { description?: string; required?: boolean }>>,
  ): Promise<readonly ConfigVar[]> {
    const { db } = this.#context;
    const app = await fetchApp(db, actor, reference, 'app.update.env');
    const known = new Map((await this.#merged(app)).map((item) => [item.name as string, item]));
    const changed = Object.entries(notes).map(([name, note]) => {
      const item = known.get(name);
      if (item === undefined) throw invalid(name, `the config variable ${name} does not exist`, 'unknown-variable');
      return { ...item, description: note.description ?? item.description, required: note.required ?? item.required };
    });
    await db.config.set(changed);
    return this.#merged(app);
  }

  async #merged(app: AppView): Promise<readonly ConfigVar[]> {
    const { config, bindings } = this.#context.db;
    const [space, bound, own] = await Promise.all([
      config.list('space', app.spaceId),
      bindings.ofApp(app.id),
      config.list('app', app.id),
    ]);
    const addons = await Promise.all(bound.map((binding) => config.list('addon', binding.id)));
    const byName = new Map([...space, ...addons.flat(), ...own].map((item) => [item.name as string, item]));
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

function checkEntry(name: string, value: string | null, known: ConfigVar | undefined): void {
  if (known?.source === 'addon')
    throw conflict('config-owned', `the config variable ${name} belongs to an addon`, 'config');
  if (value === null) {
    if (known === undefined) throw conflict('config-absent', `the config variable ${name} does not exist`, 'config');
    return;
  }
  if (value.includes('\0'))
    throw invalid(name, `the value of ${name} holds a NUL character, which no environment can`, 'malformed');
  if (Buffer.byteLength(value) > VALUE_MAX_BYTES)
    throw invalid(name, `the value of ${name} is larger than ${VALUE_MAX_BYTES} bytes`, 'too-long');
}

function checkTotal(environment: Readonly<Record<string, Secret>>): void {
  const total = Object.entries(environment).reduce(
    (sum, [name, value]) => sum + name.length + Buffer.byteLength(value.reveal()) + 2,
    0,
  );
  if (total > TOTAL_MAX_BYTES)
    throw invalid('config', `all config variables together are larger than ${TOTAL_MAX_BYTES} bytes`, 'too-long');
}
