// A server that is killed while one of its threads waits in the kernel for an answer that only it could give: its first
// thread is dead, but the process does not end, so that `wait` in its parent (serve.sh) does not return. While a thread
// waits like that, another process looks whether this has happened, and then tells the parent by a signal.
import { spawn } from 'node:child_process';

/** Dead at two looks in a row: one that has ended is waited for at once. Arguments: the server, its parent. */
export const WATCH = `
dead=0
while sleep 0.2 && read -r line <"/proc/$1/stat"; do
  case \${line##*) } in
    [ZX]*) dead=$((dead + 1)) ;;
    *) dead=0 ;;
  esac
  [ $dead -lt 2 ] || kill -59 "$2"
done 2>/dev/null`;

/** To be called when the wait begins; what it gives ends the watch. */
export function watchForStrandedServer(): () => void {
  const words = ['-c', WATCH, 'sh', String(process.pid), String(process.ppid)];
  const watch = spawn('sh', words, { cwd: '/', stdio: 'ignore' });
  watch.on('error', () => {});
  watch.unref();
  return () => watch.kill('SIGKILL');
}
