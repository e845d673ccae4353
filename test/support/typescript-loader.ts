import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

/*
 * Lets Node run the TypeScript sources as they are, decorators included, where Jest does not do it: in its global
 * set-up, and in processes that tests start (`node --import ./test/support/typescript-loader.ts file.ts`). It does what
 * jest.config.ts does for the tests: `./file.js` is `./file.ts`, and `#library` is the library's source.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const options = { ...context, conditions: ['source', ...(context.conditions ?? [])] };
    const source =
      specifier.startsWith('.') && context.parentURL !== undefined
        ? specifier.replace(/\.js$/, '.ts')
        : specifier;
    const isThere = source !== specifier && existsSync(fileURLToPath(new URL(source, context.parentURL)));
    return nextResolve(isThere ? source : specifier, options);
  },
  load(url, context, nextLoad) {
    if (!url.endsWith('.ts') || url.includes('/node_modules/')) return nextLoad(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), {
      filename,
      swcrc: false,
      sourceMaps: 'inline',
      module: { type: 'es6' },
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
        keepClassNames: true,
      },
    });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
