// Entry of the bundle that serves file systems: on the way to the user's command, so that nothing else is in it, and its
// modules are imported statically, which makes esbuild put them into one scope. stdout is a job's or a container's: not
// even its mode may change.
import { main as cvmfs2 } from './cvmfs2.ts';
import { main as imageFacts } from './image-facts.ts';
import { runProgram } from './run-program.ts';
import { main as server } from './server.ts';
import { main as warmUp } from './warm-up.ts';

runProgram({ server: () => server, cvmfs2: () => cvmfs2, 'image-facts': () => imageFacts, 'warm-up': () => warmUp });
