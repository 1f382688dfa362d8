// test-timeout: 600
import { readFile } from 'node:fs/promises';
import { faultTrials } from '../support/fault-trials.ts';

/** A random worker: a child of the router process. */
faultTrials('a router worker', async (platform) => {
  const router = await platform.pidOf('router');
  if (router === null) return null;
  const children = (await readFile(`/proc/${router}/task/${router}/children`, 'utf8').catch(() => ''))
    .trim()
    .split(' ')
    .filter(Boolean);
  const chosen = children[Math.floor(Math.random() * children.length)];
  return chosen === undefined ? null : Number(chosen);
});
