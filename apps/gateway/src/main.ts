import module from 'node:module';
import { fileURLToPath } from 'node:url';

// Stack traces name our own sources. For every library as well, as `--enable-source-maps` has it, they take 5 MB.
module.setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });

// Before anything is loaded: compiling it is a third of the start. Not in the system's folder for temporary files, where
// another user could lay ready what we would run.
module.enableCompileCache(
  fileURLToPath(new URL('node_modules/.cache/sluice', import.meta.resolve('#package'))),
);

await import('./run.js');
