/** Which hosts and ports somebody may reach through the platform: those of the add-ons at their apps, as the apps' variables name them. */
import type { Actor } from '../access/actor.ts';
import { visibility } from '../access/actor.ts';
import type { CoreContext } from '../ports/core-context.ts';

export interface TunnelEnd {
  readonly host: string;
  readonly port: number;
  /** The `AddonProvider` that named this host and port: how far it is to be trusted is not decided here. */
  readonly provider: string;
}

const PAGE = 200;

export class TunnelService {
  readonly #context: CoreContext;
  constructor(context: CoreContext) {
    this.#context = context;
  }

  /**
   * The add-on's end at host and port, or null when no add-on of an app whose variables the actor may read is there. Asked once for each
   * tunnel, so it looks through the actor's apps; credentials are the add-on's own business.
   */
  async find(actor: Actor, host: string, port: number): Promise<TunnelEnd | null> {
    const { apps } = this.#context.db;
    const visible = visibility(actor, 'app.read.env');
    for (let after: string | undefined; ; ) {
      const page = await apps.list(visible, {}, { limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const app of page.items) {
        const provider = await this.#providerAt(app.id, host, port);
        if (provider !== null) return { host, port, provider };
      }
      if (page.next === null) return null;
      after = page.next;
    }
  }

  async #providerAt(appId: string, host: string, port: number): Promise<string | null> {
    const { bindings, config, services } = this.#context.db;
    for (const binding of await bindings.ofApp(appId)) {
      if (binding.state !== 'bound') continue;
      const variables = await config.list('addon', binding.id);
      if (!variables.some(({ value }) => leadsTo(value.reveal(), host, port))) continue;
      return (await services.find(binding.serviceId))?.provider ?? null;
    }
    return null;
  }
}

/** Whether a value is a URL of this host and port; a port that is left out is nobody's guess. */
function leadsTo(value: string, host: string, port: number): boolean {
  const url = URL.parse(value);
  if (url === null || url.port === '') return false;
  return url.hostname.replace(/^\[|\]$/g, '').toLowerCase() === host.toLowerCase() && Number(url.port) === port;
}
