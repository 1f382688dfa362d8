/** Every route of this dialect, in one list: what is not here is not there. The security test walks it. */
import type { Route } from './call.ts';
import type { ScalingoParts } from './settings.ts';
import { userRoutes } from './users.ts';

export const scalingoRoutes = (parts: ScalingoParts): readonly Route[] => [...userRoutes(parts)];
