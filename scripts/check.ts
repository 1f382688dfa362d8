/** `npm run check`: types, format and lint, and the house rules, side by side. Ends with 1 when one of them objects. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { checkHouse } from './house/check-house.ts';
import { readSourceFiles } from './house/source-files.ts';

const root = join(import.meta.dirname, '..');

interface Verdict {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
}

/** Runs a tool of node_modules by our own Node and keeps what it says. */
function tool(name: string, script: string, ...argv: string[]): Promise<Verdict> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', script), ...argv], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', (error) => resolve({ name, ok: false, output: String(error) }));
    child.once('close', (code) => resolve({ name, ok: code === 0, output }));
  });
}

function house(): Verdict {
  const findings = checkHouse(readSourceFiles(root));
  const ok = findings.every(({ level }) => level === 'warning');
  return {
    name: 'house rules',
    ok,
    output: findings.map(({ level, path, message }) => `${level}: ${path}: ${message}`).join('\n'),
  };
}

const begin = performance.now();
const running = [
  tool('types', 'typescript/bin/tsc', '--noEmit', '-p', '.'),
  tool('format and lint', '@biomejs/biome/bin/biome', 'ci', '--colors=off', '.'),
];
const verdicts = [house(), ...(await Promise.all(running))];
for (const { name, ok, output } of verdicts) {
  console.log(`${ok ? '✔' : '✖'} ${name}`);
  if (!ok || /warning/i.test(output)) console.log(output.trimEnd());
}
console.log(`checked in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
process.exitCode = verdicts.every(({ ok }) => ok) ? 0 : 1;
