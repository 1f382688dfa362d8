/** From the name of an image to what runs. */
import type { App } from '../apps/app.ts';
import { BerthError, invalid } from '../errors.ts';
import { runnableCommand } from '../instances/generation.ts';
import type { Builder } from '../ports/builder.ts';
import type { Stores } from '../ports/database.ts';
import type { InstanceCommand } from '../ports/engine.ts';
import type { Images } from '../ports/images.ts';
import type { Process } from '../processes/process.ts';
import { locateForeign } from './foreign-image.ts';
import { type ImageReference, imageReference } from './image-reference.ts';

/** Where images are looked up. Asks registries and machines, so never in a transaction: see image-lookups.ts. */
export interface ImageSources {
  readonly stores: Stores;
  readonly hasArtifact: Builder['hasArtifact'];
  /** Null: only images that were built here can run. */
  readonly images: Pick<Images, 'locate'> | null;
}

export interface ResolvedImage {
  readonly artifactDigest: string;
  /** Process types to command lines; '' is what the image says itself. */
  readonly commands: Readonly<Record<string, string>>;
}

/**
 * `<any registry>/<team>/<app>[:tag]` names what this platform built for that app of the asking app's own team. The tag is a build's
 * version label or `v<release>`; none, or `latest`, is the newest build. Any other image is asked for at its registry. Throws what
 * `locateForeign` throws, invalid `image-not-built` when it names such an app and there is no such build, and invalid
 * `image-not-runnable` where nothing runs images of registries.
 */
export async function resolveImage(sources: ImageSources, app: App, text: string): Promise<ResolvedImage> {
  const { stores, images } = sources;
  const reference = imageReference(text);
  const source = await ownApp(stores, app, reference);
  const foreign = async (): Promise<ResolvedImage> => {
    if (images === null) throw notRunnable(text);
    return { artifactDigest: await locateForeign(stores, images, app, text), commands: {} };
  };
  if (source === null) return foreign();
  try {
    return await ownBuild(sources, source, reference.tag ?? 'latest');
  } catch (error) {
    if (images === null || !isNotBuilt(error)) throw error;
    return foreign().catch((other: unknown) => {
      throw other instanceof BerthError ? invalid('image', `${error.message}; ${other.message}`, notBuilt) : other;
    });
  }
}

const notBuilt = 'image-not-built';
const isNotBuilt = (error: unknown): error is BerthError =>
  error instanceof BerthError && error.details.code === notBuilt;

/** What the tag names of the app's own builds and releases. Throws invalid `image-not-built`. */
export async function ownBuild(
  { stores, hasArtifact }: Pick<ImageSources, 'stores' | 'hasArtifact'>,
  source: App,
  tag: string,
): Promise<ResolvedImage> {
  const digest = await digestOf(stores, source, tag);
  const artifact = digest === null ? null : await stores.artifacts.find(digest);
  if (artifact === null)
    throw invalid(
      'image',
      `no build of the app ${source.handle} is called ${tag}; a tag is the version of a build or v<number> of a release`,
      notBuilt,
    );
  if (!(await hasArtifact(artifact.digest)))
    throw invalid('image', `the build ${tag} of the app ${source.handle} was pruned; build it anew`, notBuilt);
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
 * What a process with an image runs: its entrypoint with its arguments, as words. Arguments alone are given to the entrypoint of a
 * container's image; without either it runs what it says itself. An artifact has no entrypoint: there arguments alone are the command,
 * of which a single one that names a process type of the build stands for that type's; without any, the build's `web` or only command.
 * Throws invalid `image-without-command`.
 */
export function commandOfImage(
  process: Pick<Process, 'type' | 'entrypoint' | 'arguments'>,
  image: ResolvedImage,
): InstanceCommand {
  const { entrypoint } = process;
  const words = process.arguments ?? [];
  if (entrypoint !== null) return [entrypoint, ...words];
  if (isContainerImage(image)) return { arguments: words.length === 0 ? null : words };
  const { commands } = image;
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
  return runnableCommand(command);
}

/** Of a registry or built of a Dockerfile, by the form of its digest (see ImageDescription). */
const isContainerImage = ({ artifactDigest }: ResolvedImage): boolean => /^(?:docker:\/\/|image:)/.test(artifactDigest);

const ownCommand = (commands: ResolvedImage['commands'], type: string): string | undefined =>
  Object.hasOwn(commands, type) ? commands[type] : undefined;
