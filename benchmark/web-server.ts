// A web server of the benchmark's own: nginx on a free port of the loopback interface, as sites run it for a stratum 1.
import { accessSync, constants, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from './job.ts';
import type { OrdinaryUser } from './ordinary-user.ts';

export interface WebServer {
  /** Of the directory, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

const PLACES = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/usr/local/nginx/sbin'];

/** Serves `directory` as /cvmfs. Everything nginx writes goes to the directory `own`, which must be the user's. */
export async function startWebServer(directory: string, own: string, user: OrdinaryUser): Promise<WebServer> {
  const program = PLACES.map((place) => join(place, 'nginx')).find(isExecutable);
  if (!program) throw new Error('nginx is not installed: apt-get install nginx-light');
  const port = await freePort();
  const file = join(own, 'nginx.conf');
  writeFileSync(file, configuration(directory, own, port));
  const child = startProcess([program, '-e', 'stderr', '-p', own, '-c', file], user);
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-1000);
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const until = performance.now() + 5000;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`nginx does not answer on port ${port}: ${complaint.trim() || 'no reason given'}`);
    }
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}/cvmfs`,
    stop: async () => {
      child.kill('SIGTERM');
      await Promise.race([exited, sleep(5000, undefined, { ref: false })]);
      child.kill('SIGKILL');
    },
  };
}

/** In the foreground, so that it is our child. The files' own pages are the only cache. */
function configuration(directory: string, own: string, port: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes auto;
pid "${own}/nginx.pid";
events { worker_connections 512; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  ${paths.map((name) => `${name}_temp_path "${own}/${name}";`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    location /cvmfs/ { alias "${directory}/"; }
  }
}
`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
