// What runs inside the process that evaluates a PAC file. Its text is handed to `node -e`, so it may refer to nothing
// outside of itself.
import type * as vmModule from 'node:vm';
import type { World } from './library.ts';

/** One line of JSON each way. */
export interface SandboxInput {
  readonly script: string;
  /** Source of definePacFunctions. */
  readonly library: string;
  /** URL and host of each question. */
  readonly questions: readonly (readonly [string, string])[];
  readonly world: World;
}

export type SandboxOutput =
  | { readonly answers: readonly string[] }
  | { readonly missing: readonly string[] }
  | { readonly error: string };

/**
 * A context of its own without a single object from outside: only text goes in and comes out. Buffers and WebAssembly are
 * taken away too, whose memory does not count against the limit of the heap.
 */
export function sandboxProgram(vm: typeof vmModule, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): void {
  const prelude = `
    for (const name of ['ArrayBuffer', 'SharedArrayBuffer', 'Atomics', 'DataView', 'WebAssembly', 'console',
      'FinalizationRegistry', 'WeakRef', 'Iterator', ...Object.getOwnPropertyNames(globalThis).filter((name) => /Array$/.test(name) && name !== 'Array')])
      delete globalThis[name];`;
  const evaluate = ({ script, library, questions, world }: SandboxInput): string => {
    const options = { codeGeneration: { strings: false, wasm: false } };
    const context = vm.createContext(vm.constants?.DONT_CONTEXTIFY ?? Object.create(null), options);
    const run = (code: string, filename: string) => vm.runInContext(code, context, { filename, timeout: 8000 });
    run(prelude, 'prelude');
    const given = JSON.stringify(JSON.stringify(world));
    run(`var $world = JSON.parse(${given}); Object.assign(globalThis, (${library})($world));`, 'library');
    const ask = `(() => {
      const ask = typeof FindProxyForURLEx === 'function' ? FindProxyForURLEx : FindProxyForURL;
      return JSON.stringify({ answers: ${JSON.stringify(questions)}.map(([url, host]) => String(ask(url, host) ?? 'DIRECT')) });
    })()`;
    try {
      run(script, 'pac');
      return String(run(ask, 'ask'));
    } catch (error) {
      const missing = run('JSON.stringify($world.missing ?? [])', 'missing');
      if (missing !== '[]') return `{"missing":${missing}}`;
      return JSON.stringify({ error: String(error).slice(0, 200) });
    }
  };
  let text = '';
  input.setEncoding('utf8');
  input.on('data', (part) => {
    text += part;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      output.write(`${evaluate(JSON.parse(line))}\n`);
    }
  });
}
