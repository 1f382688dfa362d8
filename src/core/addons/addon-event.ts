import type { App } from '../apps/app.ts';
import type { PlatformEvent } from '../events/event.ts';
import type { Addon, AddonView } from './addon.ts';

type EventApp = Pick<App, 'id' | 'teamId' | 'spaceId' | 'handle'>;

/** What an add-on's event is about: its app, else its team. */
export const aboutAddon = (
  addon: Pick<Addon, 'teamId'>,
  app: EventApp | null,
): { app: EventApp } | { teamId: string } => (app === null ? { teamId: addon.teamId } : { app });

/** What its event says of an add-on. */
export const addonData = (
  addon: Pick<AddonView, 'id' | 'name' | 'serviceName' | 'serviceLabel' | 'planName' | 'resourceId'>,
): PlatformEvent['data'] => ({
  addon: addon.id,
  name: addon.name,
  service: addon.serviceName,
  serviceLabel: addon.serviceLabel,
  plan: addon.planName,
  resource: addon.resourceId,
});
