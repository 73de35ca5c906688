// Runs inside the test's user and mount namespaces: mounts, starts the server, runs programs on the mount. Never touches the mount itself.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Negotiated } from '../../src/fuse/init.ts';
import { mountOptions } from '../../src/fuse/mount-options.ts';
import type { Call, Command, MountSettings, Outcome, Return, ServerSettings } from './protocol.ts';

const settings = JSON.parse(process.argv[2]) as MountSettings;
const directory = mkdtempSync(join(tmpdir(), 'fuse-test-'));
const mountPoint = join(directory, 'mnt');
mkdirSync(mountPoint);
process.on('exit', () => {
  // In this namespace the mount may still be there; the directory below it is removed by the test.
  try {
    rmdirSync(mountPoint);
    rmdirSync(directory);
  } catch {}
});

const fd = openSync('/dev/fuse', 'r+');
let server: ChildProcess;
let negotiated: Negotiated | undefined;

async function startServer(): Promise<void> {
  const argument: ServerSettings = { ...settings, negotiated };
  const script = join(import.meta.dirname, 'server.ts');
  server = spawn(process.execPath, [script, JSON.stringify(argument)], {
    stdio: ['ignore', 'inherit', 'inherit', fd, 'ipc'],
  });
  await once(server, 'message');
}

async function run(script: string, environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const began = performance.now();
  const child = spawn('sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MP: mountPoint, LC_ALL: 'C', TZ: 'UTC', ...environment },
  });
  const chunks: Buffer[][] = [[], []];
  child.stdout.on('data', (chunk) => chunks[0].push(chunk));
  child.stderr.on('data', (chunk) => chunks[1].push(chunk));
  const [code, signal] = await once(child, 'close');
  const [stdout, stderr] = chunks.map((list) => Buffer.concat(list).toString('latin1'));
  return { code, signal, stdout, stderr, took: performance.now() - began };
}

async function mount(): Promise<void> {
  const options = mountOptions({ fd: 3, uid: 0, gid: 0, readOnly: settings.readOnly, allowOther: true });
  const child = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'memory', mountPoint], {
    stdio: ['ignore', 'inherit', 'inherit', fd],
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`mount(8) exits with ${code}`);
}

let lastId = 0;
function askServer(command: Command): Promise<unknown> {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      server.off('message', onMessage);
      server.off('exit', onExit);
    };
    const onMessage = (answer: Return): void => {
      if (answer.id !== id) return;
      settle();
      if (answer.error === undefined) resolve(answer.value);
      else reject(new Error(answer.error));
    };
    const onExit = (): void => {
      settle();
      reject(new Error('the server has exited'));
    };
    server.on('message', onMessage);
    server.on('exit', onExit);
    server.send({ id, command } satisfies Call);
  });
}

async function execute(command: Command): Promise<unknown> {
  if ('run' in command) return run(command.run, { SERVER_PID: `${server.pid}` });
  if ('server' in command) return askServer(command);
  if ('killServer' in command) {
    server.kill('SIGKILL');
    await once(server, 'exit');
    return undefined;
  }
  if ('overtakeServer' in command) return overtakeServer();
  return startServer();
}

async function overtakeServer(): Promise<{ endedByItself: boolean; state: string }> {
  const stranded = server;
  let endedByItself = false;
  const end = once(stranded, 'exit').then(() => {
    endedByItself = true;
  });
  stranded.kill('SIGKILL');
  await setTimeout(1000);
  const answer = { endedByItself, state: endedByItself ? 'gone' : stateOf(stranded.pid) };
  await startServer();
  await end;
  return answer;
}

/** The letter of /proc/PID/stat: of the first thread. */
function stateOf(pid: number | undefined): string {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
}

process.on('message', async ({ id, command }: Call) => {
  const answer: Return = { id };
  try {
    answer.value = await execute(command);
  } catch (error) {
    answer.error = String(error);
  }
  process.send!(answer);
});
process.on('disconnect', () => process.exit(0));

if (!settings.serveFirst) await mount();
await startServer();
if (settings.serveFirst) await mount();
negotiated = (await askServer({ server: 'ready', arguments: [] })) as Negotiated;
if (!settings.keepDescriptor) closeSync(fd);
process.send!({ id: 0, value: directory } satisfies Return);
