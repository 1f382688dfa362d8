/** Code for `insideApp`: bodies of async functions that look around from inside an app. */

/** Names that lead to something readable, of those given. */
export const readable = (paths: readonly string[]): string => `
const fs = require('node:fs');
return ${JSON.stringify(paths)}.filter((path) => {
  try { fs.statSync(path).isDirectory() ? fs.readdirSync(path) : fs.readFileSync(path); return true; } catch { return false; }
});`;

/** Which of these `host:port` accept a connection. */
export const reachable = (targets: readonly string[]): string => `
const net = require('node:net');
const open = (target) => new Promise((resolve) => {
  const colon = target.lastIndexOf(':');
  const socket = net.connect({ host: target.slice(0, colon), port: Number(target.slice(colon + 1)) });
  const end = (found) => { socket.destroy(); resolve(found); };
  // What came while this process had no turn is still read before it counts as closed.
  socket.setTimeout(3000, () => setImmediate(() => end(false)));
  socket.once('connect', () => end(true)).once('error', () => end(false));
});
const targets = ${JSON.stringify(targets)};
const found = await Promise.all(targets.map(open));
return targets.filter((_, index) => found[index]);`;

export const ownAddress = `
const address = Object.values(require('node:os').networkInterfaces()).flat().find((each) => !each.internal && each.family === 'IPv4');
return address.address + ':' + process.env.PORT;`;

/** The status of an answer from there. */
export const statusOf = (url: string): string =>
  `const answer = await fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(10000) }); return answer.status;`;
