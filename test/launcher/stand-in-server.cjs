// Stands for the server in the launcher's own tests: speaks the launcher's protocol, serves no file system. It is put in the
// place of dist/start.cjs in a copy of the package. Words: NAME makes /cvmfs/NAME/hello; wait=MS before `ready`;
// note=FILE gets what the server was given, as JSON; fail ends like a server that explained itself; deaf=1 does not end
// when the command has ended; dies=MS kills itself after so long; lame=1 never serves when it is not the first;
// stranded=SCRIPT: the first one dies after a second, but for a thread, and is watched by the script (base64).
'use strict';
const fs = require('node:fs');

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'];
for (const signal of SIGNALS) process.on(signal, () => {});
for (const fd of (process.env.CVMFSEXEC_CLOSE || '').split(' ')) if (fd) fs.closeSync(Number(fd));

const words = process.argv.slice(3);
const value = (key) => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
if (process.argv[2] !== 'server') {
  process.stdout.write(`${JSON.stringify(process.argv.slice(2))}\n`);
  process.exit(0);
}
if (words.includes('fail')) {
  process.stderr.write('cvmfsexec: the stand-in failed\n');
  process.exit(125);
}
const note = value('note');
if (note) {
  const fds = fs.readdirSync('/proc/self/fd').map((fd) => {
    try {
      return `${fd} ${fs.readlinkSync(`/proc/self/fd/${fd}`)}`;
    } catch {
      return fd;
    }
  });
  fs.writeFileSync(note, JSON.stringify({ pid: process.pid, words, fds, environment: process.env }));
}
// As src/launcher/job-journal.ts does it.
function tellServing(journal) {
  const now = String(Math.floor(require('node:os').uptime() * 100));
  const file = fs.openSync(journal, 'r+');
  fs.writeSync(file, `serving ${now.padEnd(13)}\n`, 0);
  fs.closeSync(file);
}
function tellReady() {
  try {
    fs.writeSync(1, 'ready\n');
  } catch {
    if (!process.env.CVMFSEXEC_RESTARTED) process.kill(process.pid, 'SIGALRM');
  }
}
if (value('dies')) setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(value('dies')));
// Its first thread ends, another stays: as if that were in the kernel.
const STRAND = `
import ctypes, os, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
ctypes.CDLL(None).syscall(93 if os.uname().machine == "aarch64" else 60, 0)
`;
if (value('stranded') && !process.env.CVMFSEXEC_RESTARTED) {
  setTimeout(() => {
    const watch = Buffer.from(value('stranded'), 'base64').toString();
    const { pid, ppid } = process;
    require('node:child_process').spawn('sh', ['-c', watch, 'sh', pid, ppid].map(String), { stdio: 'ignore' });
    setTimeout(() => process.execve('/usr/bin/python3', ['python3', '-c', STRAND], process.env), 100);
  }, 1200);
}
if (process.env.CVMFSEXEC_RESTARTED) {
  if (!value('lame')) tellServing('/proc/self/fd/0');
  tellReady();
} else {
  serveFirst();
}

function serveFirst() {
  let input = '';
  process.stdin.on('data', (data) => {
    input += data;
    const root = /^root (.*)\n/.exec(input);
    if (!root) return;
    const journal = fs.openSync(`${root[1]}/.cvmfsexec-journal`, 'a');
    fs.unlinkSync(`${root[1]}/.cvmfsexec-journal`);
    for (const word of words) {
      if (/[=-]/.test(word)) continue;
      // What sh has mounted there (root.sh) would never answer.
      require('node:child_process').spawnSync('umount', ['-n', '-l', `${root[1]}/${word}`]);
      fs.mkdirSync(`${root[1]}/${word}`, { recursive: true });
      fs.writeFileSync(`${root[1]}/${word}/hello`, `${word}\n`);
    }
    setTimeout(
      () => {
        tellServing(`/proc/self/fd/${journal}`);
        tellReady();
      },
      Number(value('wait') || 0),
    );
  });
  process.stdin.on('end', () => {
    if (!input.includes('\n')) process.exit(125);
  });
}
if (!value('deaf')) process.on('SIGURG', () => process.kill(process.pid, 'SIGALRM'));
setInterval(() => {}, 1 << 30);
