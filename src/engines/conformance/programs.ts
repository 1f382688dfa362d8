/** The small programs that the conformance suite runs: files of an artifact for an engine with processes, models for a simulated one. */
export const programs = {
  /** Listens on $PORT and answers with its environment's MESSAGE. */
  'serve.js': `const server = require('node:http').createServer((request, response) => response.end(process.env.MESSAGE ?? ''));
server.listen(Number(process.env.PORT), '0.0.0.0', () => console.log('listening on ' + process.env.PORT));`,
  /** Exits with its argument. */
  'exit.js': 'process.exit(Number(process.argv[2]));',
  /** Prints its argument and waits. */
  'say.js': 'console.log(process.argv[2]); setInterval(() => {}, 1000);',
  /** Says when it is asked to end, and ends well. */
  'gentle.js': `process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0); });
console.log('ready'); setInterval(() => {}, 1000);`,
  /** Does not end when asked. */
  'stubborn.js': `process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000);`,
  /** Copies stdin to stdout, then exits with its argument. */
  'copy.js': `process.stdin.pipe(process.stdout); process.stdin.on('end', () => { process.exitCode = Number(process.argv[2] ?? 0); });`,
  /** Bytes that no text is: bad UTF-8, carriage returns, a line over 64 KiB, a last line without its end. */
  'bytes.js': `const out = (bytes) => require('node:fs').writeSync(1, bytes);
out(Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a])); out('grüße 日本\\r\\n'); out('\\n'); out('x'.repeat(70000) + '\\n'); out('no newline');`,
  /** As many numbered lines as its argument says, as fast as it can. */
  'burst.js': `const fs = require('node:fs'); const count = Number(process.argv[2]); let text = '';
for (let n = 0; n < count; n++) { text += 'line ' + n + '\\n'; if (text.length > 60000) { fs.writeSync(1, text); text = ''; } }
fs.writeSync(1, text);`,
  /** A tree of processes, one of them in a session of its own with nothing of its parents, which all ignore SIGTERM. */
  'tree.js': `const { spawn } = require('node:child_process');
const idle = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
spawn(process.execPath, ['-e', idle]);
const far = spawn(process.execPath, ['-e', "require('node:child_process').spawn(process.execPath, ['-e', " + JSON.stringify(idle) + "], { detached: true, stdio: 'ignore' }).unref()"], { detached: true, stdio: 'ignore' });
far.on('exit', () => console.log('grown')); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`,
  /** Takes memory without end. */
  'leak.js':
    'const held = []; setInterval(() => { for (let n = 0; n < 20; n++) held.push(Buffer.alloc(1024 * 1024, 1)); }, 5);',
  /** Outlives a child that takes memory without end; says when it is gone, and ends well when it is asked. */
  'outlive.js': `const leak = "const held = []; setInterval(() => { for (let n = 0; n < 20; n++) held.push(Buffer.alloc(1024 * 1024, 1)); }, 5);";
process.on('SIGTERM', () => process.exit(0));
require('node:child_process').spawn(process.execPath, ['-e', leak]).on('exit', () => console.log('outlived it')); setInterval(() => {}, 1000);`,
  /** Starts processes until it may not; says how many there were. */
  'forks.js': `const { spawn } = require('node:child_process'); let count = 0; const all = [];
const more = () => { if (count >= 200) return done(); const child = spawn('/bin/sleep', ['30']); child.on('spawn', () => { count++; all.push(child); more(); }); child.on('error', done); };
const done = () => { console.log('forked ' + count); for (const child of all) child.kill('SIGKILL'); };
more();`,
  /** Prints the given environment variables as hex, one a line. */
  'hex.js':
    "for (const name of process.argv.slice(2)) console.log(name + '=' + Buffer.from(process.env[name] ?? '').toString('hex'));",
  /** Tries to connect to each host:port for as long as one lost packet takes; says 'open' or 'shut'. */
  'reach.js': `const net = require('node:net');
(async () => { for (const target of process.argv.slice(2)) { const [host, port] = target.split(':');
const result = await new Promise((resolve) => { const socket = net.connect({ host, port: Number(port) }); const end = (word) => { socket.destroy(); resolve(word); };
socket.on('connect', () => end('open')); socket.on('error', () => end('shut')); setTimeout(() => end('shut'), 2500); });
console.log(target + ' ' + result); } console.log('done'); })();`,
  /**
   * Prints what each of its arguments answers, 'refused', or 'shut' for any other failure: a URL, or the name of an environment variable
   * that holds one. `=NAME` prints a variable, `@name` the address of a host.
   */
  'ask.js': `const http = require('node:http'); const dns = require('node:dns/promises');
const get = (url) => new Promise((resolve) => { const asked = http.get(url.replace('tcp:', 'http:'), { agent: false, timeout: 2500 }, (answer) => {
let text = ''; answer.on('data', (bytes) => { text += bytes; }); answer.on('end', () => resolve(text)); answer.on('error', () => resolve('shut')); });
asked.on('timeout', () => asked.destroy()); asked.on('error', (error) => resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'shut')); });
(async () => { for (const word of process.argv.slice(2)) {
if (word.startsWith('=')) console.log(process.env[word.slice(1)] ?? ''); else if (word.startsWith('@')) console.log((await dns.lookup(word.slice(1), 4)).address);
else console.log(await get(word.includes(':') ? word : process.env[word])); } })();`,
  /** Asks the URL in an environment variable at once and at every line of stdin, over one connection; ends with stdin. */
  'keep.js': `const url = new URL(process.env[process.argv[2]].replace('tcp:', 'http:')); const socket = require('node:net').connect(Number(url.port), url.hostname);
const asked = () => socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); asked();
socket.on('data', (bytes) => console.log(String(bytes).split('\\n').at(-1))); socket.on('close', () => process.exit(1));
process.stdin.on('data', asked); process.stdin.on('end', () => process.exit(0));`,
  /** Tries to read each path; says 'readable' or 'hidden'. */
  'peek.js': `const fs = require('node:fs'); for (const path of process.argv.slice(2)) { let word = 'hidden';
try { fs.statSync(path).isDirectory() ? fs.readdirSync(path) : fs.readFileSync(path); word = 'readable'; } catch {}
console.log(path + ' ' + word); }
try { fs.writeFileSync('/usr/berth-was-here', ''); console.log('/usr writable'); } catch { console.log('/usr read-only'); }
fs.writeFileSync('own', 'x'); fs.writeFileSync('/tmp/own', 'x'); console.log('uid ' + process.getuid()); console.log('done');`,
} as const;

export type ProgramName = keyof typeof programs;
