/** The dialects that the server speaks, each with its place among the ports. */
import type { Core } from '../core/core.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { SecretBox } from '../core/ports/secret.ts';
import { akkerisDialect } from '../dialects/akkeris/index.ts';
import { giantSwarmDialect } from '../dialects/giantswarm/index.ts';
import { scalingoDialect } from '../dialects/scalingo/index.ts';
import type { Dialect } from '../http/dialect.ts';
import type { RequestSample } from '../http/instance.ts';
import type { ProcessParts } from './process-parts.ts';

/** The largest body of a build, which may hold a whole source as a data URI. */
const SOURCE_BODY_BYTES = 256 * 1024 * 1024;

export interface DialectParts extends Pick<ProcessParts, 'settings' | 'logger' | 'ids' | 'clock'> {
  readonly core: Core;
  readonly box: SecretBox;
  readonly blobs: BlobStore;
  readonly observe: (sample: RequestSample) => void;
}

/** Each with its distance from BERTH_PORT. */
export function createDialects(parts: DialectParts): readonly { readonly dialect: Dialect; readonly offset: number }[] {
  const { core, logger, ids, clock, box, blobs, observe, settings } = parts;
  const common = { core, logger, ids, clock, box, observe };
  return [
    {
      offset: 1,
      dialect: giantSwarmDialect({
        ...common,
        settings: {
          defaultCluster: `cluster.${settings.baseDomain}`,
          registryHost: `registry.${settings.baseDomain}`,
        },
      }),
    },
    {
      offset: 2,
      dialect: akkerisDialect({
        ...common,
        blobs,
        settings: {
          publicUrl: `http://${settings.host}:${settings.port + 2}`,
          appUrl: (handle) => `http://${handle}.${settings.baseDomain}:${settings.routerHttpPort}`,
          supportEmail: settings.adminEmail,
          sourceBodyBytes: SOURCE_BODY_BYTES,
        },
      }),
    },
    {
      offset: 4,
      dialect: scalingoDialect({
        ...common,
        blobs,
        settings: {
          publicUrl: `http://${settings.host}:${settings.port + 4}`,
          appUrl: (handle) => `http://${handle}.${settings.baseDomain}:${settings.routerHttpPort}`,
          sshAddress: `${settings.host}:${settings.sshPort}`,
          regionName: 'berth',
          signUp: settings.signUp,
          sourceBytes: SOURCE_BODY_BYTES,
          billingUrl: `http://${settings.host}:${settings.port}/`,
        },
      }),
    },
  ];
}
