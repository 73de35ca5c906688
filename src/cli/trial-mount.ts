// Mounts a repository as a launch would, in a job of its own that only looks at it.
import { spawn } from 'node:child_process';
import type { LaunchWords } from './launch-words.ts';
import { programPath } from './package-directory.ts';

export interface Trial {
  readonly repository: string;
  readonly mounted: boolean;
  /** From the start to the end of the job. */
  readonly milliseconds: number;
  /** Of the root directory, hidden ones not counted. */
  readonly entries?: number;
  /** What the job said, where it was not. */
  readonly reason?: string;
}

const LIMIT_MS = 90_000;
/** Prints the source of the mount, and how many entries its root directory has. */
const LOOK = `
cd "/cvmfs/$CVMFSEXEC_PROBE" 2>/dev/null || cd "/cvmfs/$CVMFSEXEC_PROBE".* || exit 1
df -P . | { read -r title; read -r source rest; echo "$source"; }
set -- *
echo $#`;

/** Never rejects. */
export function tryMount(repository: string, { parameters, configDirectory, offline }: LaunchWords): Promise<Trial> {
  const words = [
    ...parameters.flatMap((parameter) => ['-o', parameter]),
    ...(configDirectory ? ['--config', configDirectory] : []),
    ...(offline ? ['--offline'] : []),
    repository,
  ];
  const started = performance.now();
  return new Promise((resolve) => {
    const job = spawn(programPath('cvmfsexec'), [...words, '--', '/bin/sh', '-c', LOOK], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, CVMFSEXEC_PROBE: repository },
    });
    const [stdout, stderr] = [collected(job.stdout), collected(job.stderr)];
    const done = (mounted: boolean, reason?: string, entries?: number): void => {
      const milliseconds = Math.round(performance.now() - started);
      resolve({
        repository,
        mounted,
        milliseconds,
        ...(entries === undefined ? {} : { entries }),
        ...(reason ? { reason } : {}),
      });
    };
    job.on('error', (error) => done(false, error.message));
    job.on('close', (code, signal) => {
      const [source, entries] = stdout().split('\n');
      if (code === 0 && source === 'cvmfs2') return done(true, undefined, Number(entries));
      const said = stderr().trim();
      if (said) return done(false, said);
      const why = signal
        ? `was not done within ${LIMIT_MS / 1000} s`
        : `ended with ${code}, ${source || 'nothing'} is mounted`;
      done(false, `cvmfsexec: the trial mount of ${repository} ${why}`);
    });
  });
}

function collected(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (data: string) => {
    if (text.length < 64 * 1024) text += data;
  });
  return () => text;
}
