// An esbuild plugin: modules of Node that most starts do not need are loaded when something of them is first used.
import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/** child_process costs a plain launch 2 ms, fs/promises 1 ms. */
const LAZY = /^node:(child_process|fs\/promises)$/;
const NAMESPACE = 'lazy-builtin';

export const lazyBuiltins: Plugin = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: LAZY }, ({ path, namespace }) =>
      namespace === NAMESPACE ? { path, external: true } : { path, namespace: NAMESPACE },
    );
    build.onLoad({ filter: LAZY, namespace: NAMESPACE }, ({ path }) => {
      const names = Object.keys(createRequire(import.meta.url)(path));
      const getters = names.map((name) => `get ${name}() { return require('${path}').${name} }`);
      return { contents: `module.exports = { ${getters.join(', ')} }`, loader: 'js' };
    });
  },
};
