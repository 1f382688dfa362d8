/** Rows for the tests of the tables that are made of them. */
import { randomUUID } from 'node:crypto';
import type { RoutedRows } from '../../src/control/routed-rows.ts';
import type { Domain } from '../../src/core/domains/domain.ts';
import type { Instance } from '../../src/core/instances/instance.ts';
import type { Handle, Hostname } from '../../src/core/names.ts';

const at = new Date('2026-03-04T05:06:07.089Z');

export const noRows: RoutedRows = { apps: [], instances: [], domains: [], linked: [], ports: [] };

/** An app whose id is `<handle>-id`, in the space `space`. */
export const app = (handle: string, maintenance = false): RoutedRows['apps'][number] => ({
  id: `${handle}-id`,
  handle: handle as Handle,
  spaceId: 'space',
  maintenance,
});

/** A ready instance; `address` is `host:port`, or null. */
export function instance(
  id: string,
  appId: string,
  processType: string,
  address: string | null,
  change: Partial<Instance> = {},
): Instance {
  const [host = null, port = null] = address?.split(':') ?? [];
  return {
    id,
    appId,
    releaseId: randomUUID(),
    processType,
    generation: 'g',
    state: 'ready',
    series: 0,
    ordinal: 0,
    routed: processType === 'web',
    nodeId: 'node',
    host,
    port: port === null ? null : Number(port),
    restarts: 0,
    retryAt: null,
    failureCode: null,
    failureMessage: null,
    createdAt: at,
    readyAt: at,
    updatedAt: at,
    ...change,
  };
}

export const domain = (appId: string, hostname: string, change: Partial<Domain> = {}): Domain => ({
  id: randomUUID(),
  appId,
  hostname: hostname as Hostname,
  pathPrefix: '/',
  replacePrefix: null,
  processType: null,
  port: null,
  createdAt: at,
  ...change,
});
