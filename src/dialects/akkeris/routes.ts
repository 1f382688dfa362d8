/** Every route of this dialect, in one list: what is not here is not there. The security test walks it. */
import { accountRoutes } from './account.ts';
import { appRoutes } from './apps.ts';
import { buildRoutes } from './builds.ts';
import type { Route } from './call.ts';
import { configVarRoutes } from './config-vars.ts';
import { dynoRoutes } from './dynos.ts';
import { favoriteRoutes } from './favorites.ts';
import { featureRoutes } from './features.ts';
import { formationRoutes } from './formation.ts';
import { logSessionRoutes } from './log-sessions.ts';
import { organizationRoutes } from './organizations.ts';
import { releaseRoutes } from './releases.ts';
import type { AkkerisParts } from './settings.ts';
import { sizeRoutes } from './sizes.ts';
import { spaceRoutes } from './spaces.ts';
import { stackRoutes } from './stacks.ts';

export const akkerisRoutes = (parts: AkkerisParts): readonly Route[] => [
  ...accountRoutes(parts),
  ...stackRoutes(),
  ...sizeRoutes(parts),
  ...spaceRoutes(parts),
  ...organizationRoutes(parts),
  ...appRoutes(parts),
  ...favoriteRoutes(parts),
  ...buildRoutes(parts),
  ...releaseRoutes(parts),
  ...formationRoutes(parts),
  ...dynoRoutes(parts),
  ...configVarRoutes(parts),
  ...featureRoutes(parts),
  ...logSessionRoutes(parts),
];
