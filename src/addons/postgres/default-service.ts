/** The PostgreSQL service as a new install has it in its catalogue. */
import type { Plan, Service } from '../../core/services/service.ts';
import { POSTGRES_PROVIDER } from './postgres-provider.ts';

const GIBIBYTE = 1024 ** 3;

const plans = [
  { name: 'free', label: 'Free', storageBytes: GIBIBYTE / 4, connections: 10, priceCents: 0 },
  { name: 'standard-0', label: 'Standard 0', storageBytes: GIBIBYTE, connections: 20, priceCents: 500 },
  { name: 'standard-1', label: 'Standard 1', storageBytes: 8 * GIBIBYTE, connections: 40, priceCents: 2_000 },
  { name: 'standard-2', label: 'Standard 2', storageBytes: 64 * GIBIBYTE, connections: 80, priceCents: 8_000 },
] as const;

export function postgresService(
  newId: () => string,
  now: Date,
): { readonly service: Service; readonly plans: readonly Plan[] } {
  const serviceId = newId();
  return {
    service: {
      id: serviceId,
      name: 'postgresql',
      label: 'PostgreSQL',
      shortDescription: 'A relational database',
      description: 'A PostgreSQL database of your own on a server that databases share.',
      category: 'database',
      logoUrl: null,
      provider: POSTGRES_PROVIDER,
      providerName: 'Berth',
      providerUrl: null,
      teamId: null,
      shareable: true,
      multiple: true,
      doc: 'The app gets DATABASE_URL. Above the storage of its plan a database only reads until it holds less.',
      createdAt: now,
      updatedAt: now,
    },
    plans: plans.map(({ name, label, storageBytes, connections, priceCents }, position) => ({
      id: newId(),
      serviceId,
      name,
      label,
      description: `${storageBytes / GIBIBYTE} GiB, ${connections} connections`,
      priceCents,
      limits: { storageBytes, connections },
      attributes: {},
      position,
      createdAt: now,
    })),
  };
}
