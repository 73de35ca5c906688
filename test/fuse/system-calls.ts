// Makes every system call that would change a file system, in the directory given, and prints their error codes as JSON.

import * as fs from 'node:fs';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_EXCL, W_OK, R_OK, X_OK } = fs.constants;
const O_TMPFILE = 0o20200000;

process.chdir(process.argv[2]);
const open = (path: string, flags: number) => (): void => fs.closeSync(fs.openSync(path, flags, 0o644));

const calls: Record<string, () => void> = {
  'open O_RDONLY': open('hello', O_RDONLY),
  'open O_WRONLY': open('hello', O_WRONLY),
  'open O_RDWR': open('hello', O_RDWR),
  'open O_WRONLY|O_APPEND': open('hello', O_WRONLY | O_APPEND),
  'open O_RDONLY|O_TRUNC': open('hello', O_RDONLY | O_TRUNC),
  'open O_WRONLY|O_TRUNC': open('hello', O_WRONLY | O_TRUNC),
  'open O_CREAT of an existing file': open('hello', O_RDONLY | O_CREAT),
  'open O_CREAT': open('new', O_WRONLY | O_CREAT),
  'open O_CREAT|O_EXCL': open('new', O_RDWR | O_CREAT | O_EXCL),
  'open O_TMPFILE': open('.', O_TMPFILE | O_RDWR),
  unlink: () => fs.unlinkSync('hello'),
  rmdir: () => fs.rmdirSync('deep/er'),
  mkdir: () => fs.mkdirSync('new'),
  'mkdir of an existing name': () => fs.mkdirSync('deep'),
  rename: () => fs.renameSync('hello', 'new'),
  symlink: () => fs.symlinkSync('hello', 'new'),
  link: () => fs.linkSync('hello', 'new'),
  chmod: () => fs.chmodSync('hello', 0o777),
  chown: () => fs.chownSync('hello', 0, 0),
  utimes: () => fs.utimesSync('hello', 1, 1),
  truncate: () => fs.truncateSync('hello', 0),
  'access W_OK': () => fs.accessSync('hello', W_OK),
  'access R_OK': () => fs.accessSync('hello', R_OK),
  'access X_OK of a plain file': () => fs.accessSync('hello', X_OK),
  'access X_OK of a program': () => fs.accessSync('script', X_OK),
  fsync: () => {
    const fd = fs.openSync('hello', O_RDONLY);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  },
};

const results: Record<string, string> = {};
for (const [name, call] of Object.entries(calls)) {
  try {
    call();
    results[name] = 'ok';
  } catch (error) {
    results[name] = (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
console.log(JSON.stringify(results));
