// `--record`: who is told what the job uses of its repositories.
import type { AccessRecorder } from '../../filesystem/access-recorder.ts';
import { reporter } from '../reporter.ts';

/** Opens the record at once: later the root is another one. */
export async function recorders(file: string): Promise<(fqrn: string) => AccessRecorder> {
  const [{ RecordFile }, { Recorder }] = await Promise.all([
    import('../../preload/record-file.ts'),
    import('../../preload/recorder.ts'),
  ]);
  const { write } = RecordFile.open(file, reporter('--record'));
  return (fqrn) => new Recorder(fqrn, write);
}
