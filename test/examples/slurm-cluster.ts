// A Slurm cluster of this one machine, with everything of its own: keys, ports, directories. Needs root.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const DAEMONS = { munged: '/usr/sbin/munged', slurmctld: '/usr/sbin/slurmctld', slurmd: '/usr/sbin/slurmd' };

export class SlurmCluster {
  /** For the environment of those who use it. */
  readonly configuration: string;
  readonly #directory: string;
  readonly #daemons: ChildProcess[] = [];

  private constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), 'slurm-'));
    chmodSync(this.#directory, 0o755);
    this.configuration = join(this.#directory, 'slurm.conf');
  }

  /** Why there can be none, or undefined. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return 'only root can run one';
    const program = Object.values(DAEMONS).find((path) => !existsSync(path));
    return program && `there is no ${program}`;
  }

  /** Resolves when it takes jobs. */
  static async start(): Promise<SlurmCluster> {
    const cluster = new SlurmCluster();
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    for (const name of ['munge', 'state']) mkdirSync(at(name), { mode: 0o700 });
    for (const name of ['socket', 'spool']) mkdirSync(at(name), { mode: 0o755 });
    writeFileSync(at('munge/key'), randomBytes(128), { mode: 0o400 });
    const host = hostname().replace(/\..*/, '');
    const [controllerPort, nodePort] = await freePorts();
    writeFileSync(
      this.configuration,
      `ClusterName=test
SlurmUser=root
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
AuthInfo=socket=${at('socket/munge')}
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${at('spool')}
SlurmctldPidFile=${at('slurmctld.pid')}
SlurmdPidFile=${at('slurmd.pid')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SchedulerParameters=sched_interval=1,batch_sched_delay=1
ReturnToService=2
KillWait=3
SlurmdParameters=config_overrides
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${Math.max(4, cpus().length)} RealMemory=4000
PartitionName=all Nodes=ALL Default=YES MaxTime=10
`,
    );
    this.#run(DAEMONS.munged, [
      '--foreground',
      `--socket=${at('socket/munge')}`,
      ...['key', 'pid', 'seed', 'log'].map((name) => `--${name}-file=${at(`munge/${name}`)}`),
    ]);
    await until(() => existsSync(at('socket/munge')), 'munged');
    this.#run(DAEMONS.slurmctld, ['-D']);
    this.#run(DAEMONS.slurmd, ['-D']);
    await until(() => this.#ask('sinfo', '--noheader', '--format=%t') === 'idle', 'Slurm');
  }

  #run(program: string, args: string[]): void {
    const log = join(this.#directory, 'log');
    const env = { PATH: process.env.PATH, SLURM_CONF: this.configuration };
    this.#daemons.push(
      spawn('sh', ['-c', `exec "$@" >>${log} 2>&1`, 'sh', program, ...args], { env, stdio: 'ignore' }),
    );
  }

  #ask(program: string, ...args: string[]): string {
    const env = { PATH: process.env.PATH, SLURM_CONF: this.configuration };
    return spawnSync(program, args, { env, encoding: 'utf8', timeout: 10_000 }).stdout?.trim() ?? '';
  }

  /** A field of what `scontrol` says about a job, such as JobState. */
  job(id: string, field: string): string | undefined {
    return new RegExp(`\\b${field}=(\\S+)`).exec(this.#ask('scontrol', 'show', 'job', id))?.[1];
  }

  cancel(...words: string[]): void {
    this.#ask('scancel', ...words);
  }

  /** What the daemons wrote. */
  get log(): string {
    return readFileSync(join(this.#directory, 'log'), 'utf8');
  }

  /** Ends all jobs and daemons, and removes everything. */
  async close(): Promise<void> {
    if (this.#daemons.length === 3) {
      this.cancel('--user', 'root', '--quiet');
      await until(() => this.#ask('squeue', '--noheader') === '', 'the last job').catch(() => {});
    }
    for (const daemon of this.#daemons.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGTERM');
      await Promise.race([ended, sleep(5000)]);
      daemon.kill('SIGKILL');
    }
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (condition()) return;
    await sleep(100);
  }
  throw new Error(`${what} does not answer`);
}

/** Two ports that nobody listens on. */
async function freePorts(): Promise<number[]> {
  const servers = [createServer(), createServer()];
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return ports;
}
