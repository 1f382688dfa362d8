/** Finds a Node that runs TypeScript as it is: the one that runs us when it is new enough, else the one that npm installed. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { rootFolder, SetupError } from './root.mjs';

const wantedMajor = 24;

/** The path of a Node ≥ 24; throws SetupError when there is none. */
export function chooseNode() {
  if (Number(process.versions.node.split('.')[0]) >= wantedMajor) return process.execPath;
  const packaged = join(rootFolder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  try {
    accessSync(packaged, constants.X_OK);
    return packaged;
  } catch {
    throw new SetupError(
      `Berth needs Node ${wantedMajor} or newer. This is Node ${process.versions.node}, and ` +
        `npm has no package of Node for ${process.platform}-${process.arch}: please install Node ${wantedMajor}.`,
    );
  }
}
