/** What the throughput bench compares: the backend asked directly, Berth's router, nginx and HAProxy, each proxy on one core. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, start } from '../../src/lib/exec.ts';

export interface Subject {
  readonly name: string;
  readonly port: number;
  /** Root of its process tree; null for the backend, whose CPU time is not of interest. */
  readonly pid: number | null;
}

export interface Subjects {
  readonly list: readonly Subject[];
  readonly skipped: readonly string[];
  close(): Promise<void>;
}

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
export const proxyCore = '0';
/** The load and the backend share the other core, so that the proxy alone is the bottleneck. */
export const otherCore = '1';
const nodeFolder = join(process.execPath, '..');

/** Whether a program can be started. */
export async function hasProgram(program: string, versionFlag: string): Promise<boolean> {
  try {
    await run([program, versionFlag], { environment, timeoutMs: 5_000 });
    return true;
  } catch {
    return false;
  }
}

/** Starts all that this machine has; every proxy keeps connections to the backend. */
export async function startSubjects(): Promise<Subjects> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  await chmod(folder, 0o755);
  const children: ReturnType<typeof start>[] = [];
  const launch = async (name: string, core: string, argv: readonly string[], port: number): Promise<Subject> => {
    const child = start(['taskset', '-c', core, ...argv], {
      environment: { ...environment, PATH: `${nodeFolder}:${environment.PATH}` },
      ownGroup: true,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.push(child);
    await answers(port);
    return { name, port, pid: child.pid ?? null };
  };
  const backendPort = await freePort();
  const list: Subject[] = [];
  const skipped: string[] = [];
  const hasNginx = await hasProgram('nginx', '-v');
  if (hasNginx) {
    await writeFile(join(folder, 'backend.conf'), nginxBackend(folder, backendPort));
    const argv = ['nginx', '-c', join(folder, 'backend.conf'), '-e', '/dev/null'];
    list.push({ ...(await launch('direct', otherCore, argv, backendPort)), pid: null });
  } else {
    const argv = [process.execPath, sibling('node-backend.ts'), String(backendPort)];
    list.push({ ...(await launch('direct (node)', otherCore, argv, backendPort)), pid: null });
  }
  const berthPort = await freePort();
  const berth = [process.execPath, sibling('berth-router.ts'), folder, String(berthPort), String(backendPort)];
  list.push(await launch('berth', proxyCore, berth, berthPort));
  if (hasNginx) {
    const port = await freePort();
    await writeFile(join(folder, 'proxy.conf'), nginxProxy(folder, port, backendPort));
    const argv = ['nginx', '-c', join(folder, 'proxy.conf'), '-e', '/dev/null'];
    list.push(await launch('nginx', proxyCore, argv, port));
  } else skipped.push('nginx: not installed (apt-get install nginx-light)');
  if (await hasProgram('haproxy', '-v')) {
    const port = await freePort();
    await writeFile(join(folder, 'haproxy.cfg'), haproxy(port, backendPort));
    list.push(await launch('haproxy', proxyCore, ['haproxy', '-f', join(folder, 'haproxy.cfg'), '-db'], port));
  } else skipped.push('haproxy: not installed (apt-get install haproxy)');
  return {
    list,
    skipped,
    close: async () => {
      await Promise.all(
        children.map(
          (child) =>
            new Promise<void>((resolve) => {
              if (child.exitCode !== null || child.signalCode !== null) resolve();
              child.once('exit', () => resolve());
              child.kill('SIGTERM');
            }),
        ),
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function nginxCommon(folder: string, name: string): string {
  return `daemon off; worker_processes 1; pid ${folder}/${name}.pid; error_log /dev/null;
events { worker_connections 2048; }
`;
}

function nginxBackend(folder: string, port: number): string {
  return `${nginxCommon(folder, 'backend')}http { access_log off; keepalive_requests 1000000000;
  server { listen 127.0.0.1:${port} backlog=1024; location / { default_type text/plain; return 200 "${'x'.repeat(1024)}"; } } }
`;
}

function nginxProxy(folder: string, port: number, backendPort: number): string {
  return `${nginxCommon(folder, 'proxy')}http { access_log ${folder}/access.log combined buffer=64k flush=1s; keepalive_requests 1000000000;
  upstream app { server 127.0.0.1:${backendPort}; keepalive 128; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=1024; location / { proxy_pass http://app; proxy_http_version 1.1;
    proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Request-Id $request_id;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_buffering off; } } }
`;
}

function haproxy(port: number, backendPort: number): string {
  return `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s 127.0.0.1:${backendPort}
`;
}

function sibling(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url));
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Resolves when something accepts on the port; rejects after ten seconds. */
async function answers(port: number): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    if (performance.now() - startedMs > 10_000) throw new Error(`nothing listens on ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
