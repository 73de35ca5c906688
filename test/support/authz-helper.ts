// A helper program that decides about memberships, for tests: speaks the protocol, answers what it is told to.
import { chmodSync, writeFileSync } from 'node:fs';

export interface HelperBehaviour {
  /** What it answers; `$PID` stands for the process it was asked about. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Instead: says nothing, ends, or sends what is no frame. */
  readonly fault?: 'hang' | 'exit' | 'garbage';
  /** Where it writes a line for each message and for its start. */
  readonly log: string;
}

/** Writes the program to `file`, to be run by `node`. */
export function writeAuthzHelper(file: string, behaviour: HelperBehaviour, node = process.execPath): void {
  writeFileSync(file, `#!${node}\n(${program})(require, ${JSON.stringify(behaviour)});\n`);
  chmodSync(file, 0o755);
}

function program(require: NodeJS.Require, { answer, fault, log }: HelperBehaviour): void {
  const { appendFileSync } = require('node:fs');
  const note = (line: string) => appendFileSync(log, `${line}\n`);
  note(`start ${process.env.CVMFS_AUTHZ_HELPER} ${process.env.COLOUR ?? ''}`);
  const send = (message: object) => {
    const json = Buffer.from(JSON.stringify({ cvmfs_authz_v1: { revision: 0, ...message } }));
    const frame = Buffer.alloc(8);
    frame.writeUInt32LE(1, 0);
    frame.writeUInt32LE(json.length, 4);
    // In two parts, as pipes may.
    process.stdout.write(frame.subarray(0, 5));
    process.stdout.write(Buffer.concat([frame.subarray(5), json]));
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
      else if (fault !== 'hang') send({ msgid: 3, ...answer });
    }
  });
}
