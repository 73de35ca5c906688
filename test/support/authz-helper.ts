// A helper program that decides about memberships, for tests: speaks the protocol, answers what it is told to.
import { chmodSync, writeFileSync } from 'node:fs';

export interface HelperBehaviour {
  /** What it answers; `$PID` stands for the process it was asked about. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /**
   * Instead: says nothing, ends, or sends what is no frame. `idle-exit`: ends after each answer. `late`: the first one that
   * is started says nothing, but a child of it grants the question that the second one is asked.
   */
  readonly fault?: 'hang' | 'exit' | 'garbage' | 'idle-exit' | 'late';
  /** Where it writes a line for each message and for its start. */
  readonly log: string;
}

/** Writes the program to `file`, to be run by `node`. */
export function writeAuthzHelper(file: string, behaviour: HelperBehaviour, node = process.execPath): void {
  writeFileSync(file, `#!${node}\n(${program})(require, ${JSON.stringify(behaviour)});\n`);
  chmodSync(file, 0o755);
}

function program(require: NodeJS.Require, { answer, fault, log }: HelperBehaviour): void {
  const { appendFileSync, existsSync, readFileSync } = require('node:fs');
  const first = !existsSync(log);
  const note = (line: string) => appendFileSync(log, `${line}\n`);
  note(`start ${process.env.CVMFS_AUTHZ_HELPER} ${process.env.COLOUR ?? ''}`);
  const questions = () => readFileSync(log, 'utf8').split('"msgid":2').length - 1;
  const send = (message: object) => {
    const json = Buffer.from(JSON.stringify({ cvmfs_authz_v1: { revision: 0, ...message } }));
    const frame = Buffer.alloc(8);
    frame.writeUInt32LE(1, 0);
    frame.writeUInt32LE(json.length, 4);
    // In two parts, as pipes may.
    process.stdout.write(frame.subarray(0, 5));
    process.stdout.write(Buffer.concat([frame.subarray(5), json]));
  };
  if (process.env.GRANTS_LATE) {
    const timer = setInterval(() => {
      if (questions() < 2) return;
      clearInterval(timer);
      send({ msgid: 3, status: 0 });
    }, 10);
    setTimeout(() => process.exit(0), 15_000).unref();
    return;
  }
  const answerLate = () => {
    if (!first) return setTimeout(send, 500, { msgid: 3, ...answer });
    const env = { ...process.env, GRANTS_LATE: 'yes' };
    return require('node:child_process').spawn(process.argv[1], [], { stdio: ['ignore', 'inherit', 'ignore'], env });
  };
  let held = Buffer.alloc(0);
  process.stdin.on('end', () => process.exit(0));
  process.stdin.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes]);
    while (held.length >= 8 && held.length >= 8 + held.readUInt32LE(4)) {
      const end = 8 + held.readUInt32LE(4);
      const message = JSON.parse(held.toString('utf8', 8, end)).cvmfs_authz_v1;
      held = held.subarray(end);
      note(JSON.stringify(message));
      if (message.msgid === 0) send({ msgid: 1 });
      else if (message.msgid === 4 || fault === 'exit') process.exit(0);
      else if (fault === 'garbage') process.stdout.write('this is no frame at all');
      else if (fault === 'late') answerLate();
      else if (fault !== 'hang') send({ msgid: 3, ...answer });
      if (fault === 'idle-exit' && message.msgid === 2) process.stdin.destroy();
    }
  });
}
