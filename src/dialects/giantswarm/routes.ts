/** Every route of this dialect, in one list: what is not here is not there. The security test walks it. */
import { appRoutes } from './apps.ts';
import type { Route } from './call.ts';
import { componentRoutes } from './components.ts';
import { instanceRoutes } from './instances/instance-routes.ts';
import { organizationRoutes } from './organizations.ts';
import { pingRoutes } from './ping.ts';
import type { GiantSwarmParts } from './settings.ts';
import { userRoutes } from './users.ts';

export const giantSwarmRoutes = (parts: GiantSwarmParts): readonly Route[] => [
  ...pingRoutes(),
  ...userRoutes(parts),
  ...organizationRoutes(parts),
  ...appRoutes(parts),
  ...componentRoutes(parts),
  ...instanceRoutes(parts),
];
