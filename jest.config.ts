/**
 * @jest-config-loader esbuild-register
 */
import { availableParallelism } from 'node:os';
import type { Config } from 'jest';

const config: Config = {
  testEnvironment: 'node',
  roots: ['<rootDir>/packages', '<rootDir>/test', '<rootDir>/bench'],
  testMatch: ['**/*.test.ts'],
  // The console's own tests need a browser: `npm run test:console`.
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '<rootDir>/test/console/'],
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  moduleNameMapper: {
    '^@tandem/(.*)/testing$': '<rootDir>/packages/$1/src/testing/index.ts',
    '^@tandem/(.*)$': '<rootDir>/packages/$1/src/index.ts',
  },
  testTimeout: 60_000,
  // Most tests wait for sockets and processes: with as many workers as cores half of each core would idle.
  maxWorkers: availableParallelism() + 1,
  // A worker grows by some megabytes with every file it has run, and its collections become slow: at 600 MB a file that makes
  // much garbage took four times as long as in a fresh one. A new worker takes a second.
  workerIdleMemoryLimit: '400MB',
  globalSetup: '<rootDir>/tools/test-folders.cjs',
  setupFilesAfterEnv: ['<rootDir>/tools/second-try.cjs'],
  testSequencer: '<rootDir>/tools/long-first-sequencer.cjs',
  reporters: [
    'default',
    '<rootDir>/tools/vector-reporter.cjs',
    '<rootDir>/tools/log-scan-reporter.cjs',
    '<rootDir>/tools/summary-reporter.cjs',
  ],
};

export default config;
