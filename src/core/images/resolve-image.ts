/** From the name of an image to what runs. */
import type { App } from '../apps/app.ts';
import { type BerthError, invalid } from '../errors.ts';
import type { Builder } from '../ports/builder.ts';
import type { Stores } from '../ports/database.ts';
import type { Process } from '../processes/process.ts';
import type { ReleasedProcess } from '../releases/release.ts';
import { type ImageReference, imageReference } from './image-reference.ts';

/** Where images are looked up. */
export interface ImageSources {
  readonly stores: Stores;
  readonly hasArtifact: Builder['hasArtifact'];
}

export interface ResolvedImage {
  readonly artifactDigest: string;
  /** Process types to command lines. */
  readonly commands: Readonly<Record<string, string>>;
}

/**
 * `<any registry>/<team>/<app>[:tag]` names what this platform built for that app of the asking app's own team. The tag is a build's
 * version label or `v<release>`; none, or `latest`, is the newest build. Throws invalid `image-not-built` when it names such an app and
 * there is no such build, and invalid `image-not-runnable` for any other image.
 */
export async function resolveImage(
  { stores, hasArtifact }: ImageSources,
  app: App,
  text: string,
): Promise<ResolvedImage> {
  const reference = imageReference(text);
  const source = await ownApp(stores, app, reference);
  if (source === null) throw notRunnable(text);
  return ownBuild({ stores, hasArtifact }, source, reference.tag ?? 'latest');
}

/** What the tag names of the app's own builds and releases. Throws invalid `image-not-built`. */
export async function ownBuild(
  { stores, hasArtifact }: ImageSources,
  source: App,
  tag: string,
): Promise<ResolvedImage> {
  const digest = await digestOf(stores, source, tag);
  const artifact = digest === null ? null : await stores.artifacts.find(digest);
  if (artifact === null)
    throw invalid(
      'image',
      `no build of the app ${source.handle} is called ${tag}; a tag is the version of a build or v<number> of a release`,
      'image-not-built',
    );
  if (!(await hasArtifact(artifact.digest)))
    throw invalid('image', `the build ${tag} of the app ${source.handle} was pruned; build it anew`, 'image-not-built');
  return { artifactDigest: artifact.digest, commands: artifact.processes };
}

const notRunnable = (text: string): BerthError =>
  invalid(
    'image',
    `the image ${text} was not built here, and this engine runs no others: ` +
      'name it <registry>/<team>/<app>[:tag] after an app of this team, or set BERTH_ENGINE=docker',
    'image-not-runnable',
  );

/** The app that an image is named after: by name in the asking app's space, or as any look-up finds it. */
async function ownApp(stores: Stores, app: App, reference: ImageReference): Promise<App | null> {
  if (reference.registry === null) return null;
  const team = await stores.teams.find(app.teamId);
  if (team === null || reference.namespace !== team.name) return null;
  const beside = await stores.apps.findByName(app.spaceId, reference.name);
  const found = beside ?? (await stores.apps.find(reference.name));
  return found !== null && found.teamId === app.teamId && found.deletedAt === null ? found : null;
}

async function digestOf(stores: Stores, source: App, tag: string): Promise<string | null> {
  const labelled = await stores.builds.latestSucceeded(source.id, tag === 'latest' ? undefined : tag);
  if (labelled !== null) return labelled.artifactDigest;
  const version = /^v(\d{1,9})$/.exec(tag)?.[1];
  if (version === undefined) return null;
  return (await stores.releases.findByVersion(source.id, Number(version)))?.artifactDigest ?? null;
}

/**
 * What a process with an image runs: its entrypoint with its arguments; or its arguments alone, of which a single one that names a process
 * type of the build stands for that type's command; or the build's `web` or only command. Throws invalid `image-without-command`.
 */
export function commandOfImage(
  process: Pick<Process, 'type' | 'entrypoint' | 'arguments'>,
  { commands }: ResolvedImage,
): ReleasedProcess['command'] {
  const { entrypoint } = process;
  const words = process.arguments ?? [];
  if (entrypoint !== null) return [entrypoint, ...words];
  const [first] = words;
  if (first !== undefined) return (words.length === 1 ? ownCommand(commands, first) : undefined) ?? words;
  const only = Object.keys(commands).length === 1 ? Object.values(commands)[0] : undefined;
  const command = ownCommand(commands, 'web') ?? only;
  if (command === undefined)
    throw invalid(
      'image',
      `the image of ${process.type} has ${Object.keys(commands).length === 0 ? 'no command' : 'several commands'}; say in its arguments which to run`,
      'image-without-command',
    );
  return command;
}

const ownCommand = (commands: ResolvedImage['commands'], type: string): string | undefined =>
  Object.hasOwn(commands, type) ? commands[type] : undefined;
