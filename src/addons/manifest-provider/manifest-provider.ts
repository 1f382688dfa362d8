/**
 * Services that others run, called as the hosted platforms call theirs: `POST base_url` {plan, app_id, options} makes a resource and
 * answers its id and variables, `PUT base_url/:id` {plan} changes it, `DELETE base_url/:id` removes it.
 */
import { createHash } from 'node:crypto';
import {
  type AddonProvider,
  AddonRefused,
  type ProviderAddon,
  type ServiceManifest,
} from '../../core/ports/addon-provider.ts';
import { type Environment, Secret } from '../../core/ports/secret.ts';
import type { Dialer } from '../../lib/dialer.ts';
import { callProvider, type ProviderAnswer } from './calls.ts';

const RESOURCE_MAX = 255;
const MESSAGE_MAX = 2_000;

export function createManifestProvider(dialer: Dialer): AddonProvider {
  return {
    async provision(addon, signal) {
      const manifest = manifestOf(addon);
      // Accepted before: it is ready when the provider has given the variables, by a call of its own.
      if (addon.resourceId !== null)
        return {
          ready: hasAll(manifest, addon.config),
          resourceId: addon.resourceId,
          config: addon.config,
          message: '',
        };
      const answer = await callProvider(
        dialer,
        manifest,
        {
          method: 'POST',
          resourceId: '',
          body: { plan: addon.plan.name, app_id: addon.ownerApp?.id ?? addon.addonId, options: addon.parameters },
          idempotencyKey: addon.addonId,
        },
        signal,
      );
      if (answer.status >= 300) throw new AddonRefused('the provider has no such address for new add-ons');
      const config = configOf(manifest, answer) ?? {};
      return {
        ready: answer.status !== 202 || hasAll(manifest, config),
        resourceId: resourceOf(answer),
        config,
        message: messageOf(answer),
      };
    },
    async changePlan(addon, signal) {
      const manifest = manifestOf(addon);
      const answer = await callProvider(
        dialer,
        manifest,
        {
          method: 'PUT',
          resourceId: addon.resourceId ?? '',
          body: { plan: addon.plan.name },
          idempotencyKey: `${addon.addonId}/${addon.plan.name}`,
        },
        signal,
      );
      if (answer.status >= 300) throw new AddonRefused('the provider does not know this add-on any more');
      return { message: messageOf(answer), config: configOf(manifest, answer) };
    },
    bind: async (addon) => addon.config,
    // The provider knows of resources, not of apps.
    async unbind() {},
    async deprovision(addon, signal) {
      if (addon.resourceId === null) return;
      await callProvider(
        dialer,
        manifestOf(addon),
        { method: 'DELETE', resourceId: addon.resourceId, idempotencyKey: `${addon.addonId}/delete` },
        signal,
      );
    },
    async sso(addon, at) {
      const { ssoUrl, ssoSalt } = manifestOf(addon);
      if (ssoUrl === null || addon.resourceId === null) return null;
      const timestamp = String(Math.floor(at.getTime() / 1_000));
      const url = new URL(ssoUrl);
      url.searchParams.set('id', addon.resourceId);
      url.searchParams.set('timestamp', timestamp);
      url.searchParams.set('token', ssoToken(addon.resourceId, ssoSalt, timestamp));
      return { url: url.href };
    },
  };
}

/** SHA-1 of `id:salt:timestamp` as hex: what providers check. `timestamp` is in seconds. */
export const ssoToken = (id: string, salt: Secret, timestamp: string): string =>
  createHash('sha1').update(`${id}:${salt.reveal()}:${timestamp}`).digest('hex');

function manifestOf({ service }: ProviderAddon): ServiceManifest {
  if (service.manifest === null) throw new AddonRefused(`${service.name} has no manifest`);
  return service.manifest;
}

function resourceOf({ body }: ProviderAnswer): string {
  const id = typeof body.id === 'number' ? String(body.id) : body.id;
  if (typeof id !== 'string' || id === '' || id.length > RESOURCE_MAX)
    throw new AddonRefused(`the provider gave no id of at most ${RESOURCE_MAX} characters`);
  return id;
}

/** Null when the answer has none. Some documents call it `config`, some `config_vars`; names that the manifest does not list are left out. */
function configOf(manifest: ServiceManifest, { body }: ProviderAnswer): Environment | null {
  const given = body.config ?? body.config_vars;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return null;
  const entries = Object.entries(given).flatMap(([name, value]): [string, Secret][] => {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,255}$/.test(name)) return [];
    if (manifest.configNames.length > 0 && !manifest.configNames.includes(name)) return [];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return [];
    const text = String(value);
    return text.includes('\0') ? [] : [[name, new Secret(text)]];
  });
  return Object.fromEntries(entries);
}

const hasAll = (manifest: ServiceManifest, config: Environment): boolean =>
  manifest.configNames.length === 0
    ? Object.keys(config).length > 0
    : manifest.configNames.every((name) => Object.hasOwn(config, name));

const messageOf = ({ body }: ProviderAnswer): string =>
  typeof body.message === 'string' ? body.message.slice(0, MESSAGE_MAX) : '';
