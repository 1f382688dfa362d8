import type { SpaceWithCount } from '../../core/spaces/space-service.ts';
import { regionReference, stackReference } from './stacks.ts';

export const spaceShape = (space: SpaceWithCount): unknown => ({
  apps: String(space.appCount),
  compliance: space.compliance,
  created_at: space.createdAt.toISOString(),
  id: space.id,
  name: space.name,
  region: regionReference,
  stack: stackReference,
  state: 'allocated',
  updated_at: space.updatedAt.toISOString(),
});

/** The raw tag text that an app shows of its space. */
export const complianceTag = (compliance: readonly string[]): string =>
  compliance.length === 0 ? '' : `compliance=${compliance.join(',')}`;

/** In such a space values are redacted, and removing or building needs elevated access. */
export const isSocs = (compliance: readonly string[]): boolean => compliance.includes('socs');
export const isControlled = (compliance: readonly string[]): boolean =>
  isSocs(compliance) || compliance.includes('prod');
