import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings, SETTINGS } from '@tandem/core';
import { parse } from 'yaml';
import { settingsOn } from '../page-examples/secure-door';
import { ROOT } from '../support/gateway-process';

// Their commands want a cluster, or change the machine: what can be checked without is that they name what is there.
const PAGES = ['kubernetes', 'systemd', 'behind-a-proxy'].map((name) => [name, read('docs', 'guides', `${name}.md`)]);

function read(...path: string[]): string {
  return readFileSync(join(ROOT, ...path), 'utf8');
}

describe.each(PAGES)('The guide %s', (_, page = '') => {
  it('names files of the repository that are there', () => {
    const named = [...page.matchAll(/\b(?:deploy|packages|test)\/[\w./-]*\w/g)].map(([path]) => path);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('names settings that there are', () => {
    const named = [...page.matchAll(/\b(?:TANDEM|HTTP|SSL|REDIS|COAP|TB)_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    expect(named.filter((name) => !Object.hasOwn(SETTINGS, name))).toEqual([]);
  });
});

it('The guide kubernetes names values that the chart has', () => {
  const values: unknown = parse(read('deploy', 'helm', 'tandem', 'values.yaml'));
  const page = read('docs', 'guides', 'kubernetes.md');
  const named = [...page.matchAll(/--set ([\w.]+)=|`(roles\.coap\.[\w.]+|settings|existingSecret|podMonitor)\b/g)];
  expect(named.length).toBeGreaterThan(5);
  for (const [, set, value] of named) expect(values).toHaveProperty((set ?? value ?? '').split('.'));
});

it('The guide behind-a-proxy names settings that the gateway starts with', () => {
  const given = settingsOn(read('docs', 'guides', 'behind-a-proxy.md'), ROOT);
  expect(Object.keys(given)).toEqual(['HTTP_BIND_ADDRESS', 'TANDEM_TRUSTED_PROXIES']);
  expect(readSettings(given).TANDEM_TRUSTED_PROXIES).toHaveLength(1);
});
