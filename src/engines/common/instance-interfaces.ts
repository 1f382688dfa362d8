/** The interfaces of a machine behind which instances are, so that those of one engine are kept from those of another beside it. */

/** Interfaces of the process engine begin with it, those of every install on the machine: the names of their networks say more. */
export const processPrefix = 'bth';

/** The bridge over which every instance of the docker engine goes out; Docker's own. */
export const dockerBridge = 'docker_gwbridge';
