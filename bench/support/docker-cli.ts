/** The `docker` command beside Berth: on the daemon of a bench, as people type it. */
import { request } from 'node:http';
import { run } from '../../src/lib/exec.ts';
import { environment } from './pinning.ts';

export interface DockerCli {
  /** Gives what the command printed; rejects with what it said when it fails. */
  docker(...words: readonly string[]): Promise<string>;
  /** What the Engine API answers to a GET of that path. */
  read<T>(path: string): Promise<T>;
}

/** `host`: `unix:///path`. */
export function dockerCli(host: string): DockerCli {
  return {
    async docker(...words) {
      const argv = ['docker', '--host', host, ...words];
      const result = await run(argv, { environment, timeoutMs: 120_000 });
      if (result.code !== 0) throw new Error(`docker ${words.join(' ')}: ${result.stderr}`);
      return result.stdout.trim();
    },
    read: (path) => readJson(host.slice('unix://'.length), path),
  };
}

function readJson<T>(socketPath: string, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => resolve(JSON.parse(text) as T));
    });
    call.once('error', reject);
    call.end();
  });
}
