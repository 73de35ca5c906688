// Runs the bundle that has the program from its shipped code cache: saves the compilation, needs no writable directory and no
// environment. A cache that Node refuses (another version) costs some milliseconds, nothing else. It holds for one kind of
// processor.
'use strict';
const fs = require('node:fs');
const vm = require('node:vm');

const serving = ['server', 'cvmfs2', 'image-facts', 'warm-up'].includes(process.argv[2]);
const bundle = `${__dirname}/${serving ? 'serving' : 'tools'}`;
const filename = `${bundle}.cjs`;
const writeCache = process.env.CVMFSEXEC_WRITE_CODE_CACHE;
let cachedData;
if (!writeCache) {
  try {
    cachedData = fs.readFileSync(`${bundle}.${process.arch}.cache`);
  } catch {
    // not built with a cache
  }
}
const source = fs.readFileSync(filename, 'latin1');
const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) { ${source}\n});`, {
  filename,
  cachedData,
  importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
if (writeCache) process.on('exit', () => fs.writeFileSync(writeCache, script.createCachedData()));
script.runInThisContext()(exports, require, module, filename, __dirname);
