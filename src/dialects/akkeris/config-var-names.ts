/** Variables that this API sets by itself: nobody changes them, and lists of config vars do not show the AKKERIS_ ones. */
import type { AppView } from '../../core/apps/app.ts';
import { appKey } from './app-shape.ts';

export const isSystemName = (name: string): boolean => name === 'PORT' || name.startsWith('AKKERIS_');

/** Shown among the notes of every app. */
export const systemNames = [
  'PORT',
  'AKKERIS_DEPLOYMENT',
  'AKKERIS_APPLICATION',
  'AKKERIS_SPACE',
  'AKKERIS_GIT_SHA1',
  'AKKERIS_GIT_BRANCH',
  'AKKERIS_GIT_REPO',
] as const;

/** What an app's processes find in their environment; `PORT` is the engine's. */
export const systemVariables = (app: AppView): Record<string, string> => ({
  AKKERIS_DEPLOYMENT: app.name,
  AKKERIS_APPLICATION: appKey(app),
  AKKERIS_SPACE: app.spaceName,
});
