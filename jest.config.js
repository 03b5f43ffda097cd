/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/spec/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // The specs and the documentation's snippets import the package by its name, as its users do.
  moduleNameMapper: {
    '^edict$': '<rootDir>/lib/index.ts',
    '^edict/([a-z-]+)$': '<rootDir>/lib/$1/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/bench/node_modules/', '<rootDir>/\\.tmp/'],
  // One PostgreSQL server for the run, started when a spec first asks for it.
  globalSetup: '<rootDir>/spec/support/postgres-setup.mjs',
  globalTeardown: '<rootDir>/spec/support/postgres-teardown.mjs',
  injectGlobals: false,
  testSequencer: '<rootDir>/spec/support/sequencer.mjs',
  // Also on a machine of two cores: specs that use real stores and processes mostly wait.
  maxWorkers: '100%',
  // The modules of a spec that is over stay in memory, and cost every later one its time.
  workerIdleMemoryLimit: '1GB',
  randomize: true,
  // Long, as a machine, a disk or a server that others use too may be many times as slow as it mostly is: a spec waits for what it
  // expects, and ends when it is there.
  testTimeout: 120_000,
}
