import type { Config } from 'jest';

/**
 * One configuration for every kind of test. `npm test -- test/medium` runs one folder, `npm test -- -t 'title'`
 * one test. Heavy figures are scaled by SOAK (see test/support/soak.ts).
 */
const config: Config = {
  rootDir: '.',
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        module: { type: 'es6' },
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
          keepClassNames: true,
        },
        sourceMaps: 'inline',
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  setupFiles: ['reflect-metadata', '@nestjs/core'],
  maxWorkers: 2,
  // In ESM mode the modules of a finished file are never let go: after a hundred of them a worker has gigabytes to
  // collect garbage in, and takes several times as long for each next one.
  workerIdleMemoryLimit: '1GB',
  testTimeout: 30_000,
};

export default config;
