/** An app that runs what a test asks it to, so that a test sees the platform from inside. */
import { logLines } from './app-log.ts';
import { createApp, deploy } from './deploy.ts';
import type { TestPlatform } from './platform.ts';
import { ask } from './request.ts';

const files = {
  Procfile: 'web: node server.js\n',
  'package.json': '{"name":"inside","private":true}',
  'server.js': `const AsyncFunction = (async () => {}).constructor;
require('node:http').createServer(async (request, response) => {
  const code = Buffer.from(new URL(request.url, 'http://app').searchParams.get('code') || '', 'base64url').toString('utf8');
  try {
    response.end(JSON.stringify(await new AsyncFunction('require', code)(require)));
  } catch (error) {
    response.writeHead(500).end(String(error && error.stack));
  }
}).listen(process.env.PORT);
`,
};

/** Runs the body of an async function in the app; `require` is there. Gives what it returns, as JSON carries it. */
export type Inside = <T>(code: string) => Promise<T>;

/** Deploys it under the name into the space. */
export async function insideApp(platform: TestPlatform, name: string, space = 'default'): Promise<Inside> {
  const path = await createApp(platform, name, space);
  const { release } = await deploy(platform, path, files);
  if (release.status !== 'succeeded')
    throw new Error(`it did not start:\n${(await logLines(platform, path)).join('\n')}`);
  const handle = space === 'default' ? name : `${name}-${space}`;
  return async <T>(code: string): Promise<T> => {
    const answer = await ask(platform, handle, `/?code=${Buffer.from(code).toString('base64url')}`, 30_000);
    if (answer.status !== 200) throw new Error(`the app answered ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body) as T;
  };
}
