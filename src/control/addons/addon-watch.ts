/**
 * Looks now and then how much the add-ons hold whose provider can tell. One that is over its plan's limit only reads, until it is below;
 * its apps' logs say so both times.
 */
import type { AddonView } from '../../core/addons/addon.ts';
import { providerAddon } from '../../core/addons/provider-view.ts';
import type { AddonContext } from '../control-context.ts';
import { noteInAppLog } from '../reconciler/app-log.ts';

const MEBIBYTE = 1024 * 1024;

export class AddonWatch {
  readonly #context: AddonContext;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();

  constructor(context: AddonContext) {
    this.#context = context;
  }

  start(): void {
    const again = (): void => {
      this.#timer = setTimeout(() => {
        this.#round = this.round().finally(() => {
          if (this.#timer !== null) again();
        });
      }, this.#context.limits.addonWatchMs);
    };
    again();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#round;
  }

  /** Looks at every running add-on once; what fails is logged and looked at again in the next round. */
  async round(): Promise<void> {
    const { db, addonProviders, logger } = this.#context;
    for (const [name, provider] of Object.entries(addonProviders)) {
      if (provider.measure === undefined || provider.restrict === undefined) continue;
      try {
        for (const addon of await db.addons.running(name)) await this.#look(addon);
      } catch (error) {
        logger.warn({ err: error, provider: name }, 'the add-ons could not be measured; the next round tries again');
      }
    }
  }

  async #look(addon: AddonView): Promise<void> {
    const { db, addonProviders } = this.#context;
    const { provider, request } = await providerAddon(db, addonProviders, addon);
    const limit = request.plan.limits.storageBytes;
    if (provider.measure === undefined || provider.restrict === undefined) return;
    const { storageBytes, restricted } = await provider.measure(request);
    const over = limit !== null && storageBytes > limit;
    if (over !== restricted) await provider.restrict(request, over);
    if (over === addon.overLimit) return;
    await db.addons.update(addon.id, { overLimit: over, updatedAt: this.#context.clock.now() });
    const text = over
      ? `Add-on ${addon.name} holds ${inMebibytes(storageBytes)}, more than the ${inMebibytes(limit)} of its plan ${addon.planName}: it is read-only until it holds less or has a larger plan`
      : `Add-on ${addon.name} is within its plan ${addon.planName} again: it can be written to`;
    const apps = new Set((await db.bindings.ofAddon(addon.id)).map((binding) => binding.appId));
    for (const appId of apps) await noteInAppLog(this.#context, appId, text);
  }
}

const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / MEBIBYTE)} MiB`;
