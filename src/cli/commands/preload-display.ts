// What `cvmfsexec preload` shows: progress while it goes on, and what came of it.
import { readableLabel } from '../../objects/label.ts';
import { megabytes, type Phase, type Preload } from '../../preload/preload.ts';
import { ProgressLine } from '../progress.ts';

/** Failures and names that are printed one by one. */
const SHOWN = 20;
/** An object takes as long as so many bytes more, whatever its size is. */
const OBJECT_COST = 20_000;

export interface Outcome {
  readonly preload: Preload;
  readonly fqrn: string;
  readonly directory: string;
  readonly json: boolean;
  /** Patterns for which there was nothing. */
  readonly unmatched: readonly string[];
  /** Standard output is for something else. */
  readonly quiet: boolean;
}

export class PreloadDisplay {
  readonly #title: string;
  readonly #started = performance.now();
  #line: ProgressLine | undefined;

  constructor(name: string) {
    this.#title = `cvmfsexec: ${name}`;
  }

  /** The same reporter, for use beside the progress. */
  wrap(report: (message: string) => void): (message: string) => void {
    return (message) => {
      this.#line?.clear();
      report(message);
    };
  }

  /** Runs the preload. A signal ends it: then this process ends of that signal, with the cache in good order. */
  async follow(preload: Preload, close: () => Promise<void>): Promise<void> {
    let phase: Phase = 'catalogs';
    let interrupted: NodeJS.Signals | undefined;
    const interrupt = (signal: NodeJS.Signals): void => {
      interrupted = signal;
      preload.preloader.stop(new Error(`interrupted (${signal})`));
      void close();
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.once(signal, interrupt);
    this.#line = new ProgressLine(this.#title, () => progressOf(preload, phase));
    try {
      await preload.run((next) => {
        phase = next;
      });
    } catch (error) {
      if (!interrupted) throw error;
      this.#line.stop();
      process.stderr.write(`${this.#title}: interrupted: what was loaded stays, the same command goes on from there\n`);
      await close();
      process.kill(process.pid, interrupted);
    } finally {
      this.#line.stop();
      for (const signal of signals) process.removeListener(signal, interrupt);
    }
  }

  summary({ preload, fqrn, directory, json, unmatched, quiet }: Outcome): void {
    const { progress, failures, failed, absent, revision } = preload.preloader;
    const seconds = Math.round(performance.now() - this.#started) / 1000;
    const print = (line: string): void => void (quiet ? process.stderr : process.stdout).write(`${line}\n`);
    const rootHash = preload.rootHash.toString();
    if (json) {
      const { catalogs, objects, bytes, fetched, fetchedBytes } = progress;
      const counts = { catalogs, objects, bytes, fetched, fetchedBytes, seconds };
      const missing = [...unmatched, ...absent].map(readableLabel);
      print(JSON.stringify({ repository: fqrn, revision, rootHash, directory, ...counts, failed, failures, missing }));
      return;
    }
    const { objects, bytes, missing, fetched, fetchedBytes } = progress;
    const there = `${objects - missing} were there`;
    print(
      `${fqrn}: revision ${revision} in ${directory}: ${objects} objects (${megabytes(bytes)}); ` +
        `fetched ${fetched} (${megabytes(fetchedBytes)}) in ${seconds.toFixed(1)} s, ${there}`,
    );
    if (preload.isFixed) print(`${fqrn}: mount it without network with -o CVMFS_ROOT_HASH=${rootHash}`);
    const complain = (line: string): void => void process.stderr.write(`${this.#title}: ${line}\n`);
    list(unmatched, (pattern) => complain(`nothing matches ${readableLabel(pattern)}`));
    list(absent, (path) => complain(`${readableLabel(path)} is not in this revision`));
    if (failed > 0) complain(`${failed} could not be loaded; the same command tries them again`);
    list(failures, ({ path, reason }) => complain(reason.includes(path) ? reason : `${path}: ${reason}`), failed);
  }
}

function list<Item>(items: readonly Item[], show: (item: Item) => void, count = items.length): void {
  for (const item of items.slice(0, SHOWN)) show(item);
  if (count > SHOWN) process.stderr.write(`… and ${count - SHOWN} more (--json has them)\n`);
}

function progressOf(preload: Preload, phase: Phase) {
  const { progress, failed } = preload.preloader;
  const failures = failed > 0 ? `, ${failed} failed` : '';
  const { catalogs, objects, bytes, missing, missingBytes, fetched, fetchedBytes } = progress;
  if (phase === 'catalogs') {
    const found = `${objects} objects (${megabytes(bytes)})`;
    return { text: `${catalogs} catalogs read, ${found} found, ${missing} missing${failures}` };
  }
  const done = `${fetched} of ${missing} objects, ${megabytes(fetchedBytes)} of ${megabytes(missingBytes)}`;
  const work = missingBytes + missing * OBJECT_COST;
  const share = work === 0 ? 1 : Math.min(1, (fetchedBytes + fetched * OBJECT_COST) / work);
  return { share, text: `${done}${failures}` };
}
