/**
 * @jest-config-loader esbuild-register
 */
import type { Config } from 'jest';
import base from './jest.config';

/** The console in a real browser: `npm run test:console`. */
const config: Config = {
  ...base,
  roots: ['<rootDir>/test/console'],
  testPathIgnorePatterns: ['/node_modules/'],
  maxWorkers: 1,
  reporters: ['default', '<rootDir>/tools/log-scan-reporter.cjs'],
};

export default config;
