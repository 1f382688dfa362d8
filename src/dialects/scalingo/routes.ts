/** Every route of this dialect, in one list: what is not here is not there. The security test walks it. */
import { addonRoutes } from './addons/addons.ts';
import { catalogueRoutes } from './addons/catalogue.ts';
import { appRoutes } from './apps.ts';
import type { Route } from './call.ts';
import { childAppRoutes } from './child-apps.ts';
import { collaboratorRoutes } from './collaborators.ts';
import { containerRoutes } from './containers.ts';
import { deploymentRoutes } from './deployments/deployments.ts';
import { sourceRoutes } from './deployments/sources.ts';
import { domainRoutes } from './domains.ts';
import { eventRoutes } from './events/events.ts';
import { keyRoutes } from './keys.ts';
import { logRoutes } from './logs/logs.ts';
import { operationRoutes } from './operations.ts';
import { platformRoutes } from './platform.ts';
import { providerAppRoutes } from './provider/provider-apps.ts';
import { registrationRoutes } from './provider/registration.ts';
import { restartRoutes } from './restart.ts';
import { attachRoutes } from './run/attach-routes.ts';
import { Attachments } from './run/attachments.ts';
import { runRoutes } from './run/run.ts';
import { scaleRoutes } from './scale.ts';
import type { ScalingoParts } from './settings.ts';
import { sizeRoutes } from './sizes.ts';
import { graphRoutes } from './stats/graph.ts';
import { statsRoutes } from './stats/stats.ts';
import { tokenRoutes } from './tokens.ts';
import { userRoutes } from './users.ts';
import { variableRoutes } from './variables.ts';

export const scalingoRoutes = (parts: ScalingoParts, attachments = new Attachments()): readonly Route[] => [
  ...userRoutes(parts),
  ...tokenRoutes(parts),
  ...keyRoutes(parts),
  ...platformRoutes(parts),
  ...sizeRoutes(parts),
  ...appRoutes(parts),
  ...childAppRoutes(parts),
  ...containerRoutes(parts),
  ...scaleRoutes(parts),
  ...restartRoutes(parts),
  ...operationRoutes(parts),
  ...variableRoutes(parts),
  ...collaboratorRoutes(parts),
  ...domainRoutes(parts),
  ...sourceRoutes(parts),
  ...deploymentRoutes(parts),
  ...logRoutes(parts),
  ...statsRoutes(parts),
  ...graphRoutes(parts),
  ...runRoutes(parts),
  ...attachRoutes(parts, attachments),
  ...eventRoutes(parts),
  ...catalogueRoutes(parts),
  ...addonRoutes(parts),
  ...registrationRoutes(parts),
  ...providerAppRoutes(parts),
];
