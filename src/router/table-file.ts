/** The last routing table on disk: a router that starts without the server serves by it. Holds private keys, so only its owner may read it. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { invalid } from '../core/errors.ts';
import type { Route, RouteBackend, RouteCertificate, RouteTarget, RoutingTable } from '../core/ports/router.ts';

export function tablePath(dataFolder: string): string {
  return join(dataFolder, 'router', 'table.json');
}

/** Replaces the file in one step; it is on disk when this resolves. */
export async function saveTable(path: string, table: RoutingTable): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(JSON.stringify(table));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const entry = await open(folder, 'r');
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}

/** The saved table, null when there is none yet; throws when the file cannot be read as one. */
export async function loadTable(path: string): Promise<RoutingTable | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return readTable(JSON.parse(text));
}

/**
 * Checks that a value from outside has the shape of a table; throws `invalid` naming what is wrong. A table that an older version saved
 * has `apps` with targets, to which its routes lead: each is one backend, so that apps are served while the server is upgraded too.
 */
export function readTable(value: unknown): RoutingTable {
  const table = object(value, 'table');
  return {
    version: wholeNumber(table.version, 'version'),
    routes: list(table.routes, 'routes').map(readRoute),
    backends: list(table.backends ?? table.apps, 'backends').map(readBackend),
    certificates: list(table.certificates, 'certificates').map(readCertificate),
  };
}

function readRoute(value: unknown, at: number): Route {
  const route = object(value, `routes.${at}`);
  const replace = route.replacePrefix;
  return {
    host: text(route.host, `routes.${at}.host`).toLowerCase(),
    pathPrefix: text(route.pathPrefix, `routes.${at}.pathPrefix`),
    replacePrefix: replace === null || replace === undefined ? null : text(replace, `routes.${at}.replacePrefix`),
    backend: text(route.backend ?? route.appId, `routes.${at}.backend`),
  };
}

function readBackend(value: unknown, at: number): RouteBackend {
  const field = `backends.${at}`;
  const backend = object(value, field);
  const mode = backend.mode;
  if (mode !== 'serving' && mode !== 'maintenance')
    throw invalid(`${field}.mode`, 'mode must be serving or maintenance');
  return {
    id: text(backend.id ?? backend.appId, `${field}.id`),
    appId: text(backend.appId, `${field}.appId`),
    mode,
    targets: list(backend.targets, `${field}.targets`).map((each, index) =>
      readTarget(each, `${field}.targets.${index}`),
    ),
  };
}

function readTarget(value: unknown, field: string): RouteTarget {
  const target = object(value, field);
  return {
    id: text(target.id, `${field}.id`),
    host: text(target.host, `${field}.host`),
    port: wholeNumber(target.port, `${field}.port`),
    processType: text(target.processType, `${field}.processType`),
  };
}

function readCertificate(value: unknown, at: number): RouteCertificate {
  const certificate = object(value, `certificates.${at}`);
  return {
    hosts: list(certificate.hosts, `certificates.${at}.hosts`).map((host) => text(host, `certificates.${at}.hosts`)),
    certificatePem: text(certificate.certificatePem, `certificates.${at}.certificatePem`),
    privateKeyPem: text(certificate.privateKeyPem, `certificates.${at}.privateKeyPem`),
  };
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(field, `${field} must be an object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(field, `${field} must be a list`);
  return value;
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw invalid(field, `${field} must be a text`);
  return value;
}

function wholeNumber(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw invalid(field, `${field} must be a whole number`);
  return value;
}
