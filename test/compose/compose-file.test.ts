import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '@tandem/core';

const ROOT = join(__dirname, '..', '..');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** The `NAME: value` lines of the services' environments, with `${NAME:-default}` as the default. */
function environments(): Record<string, Record<string, string>> {
  const shared: Record<string, string> = {};
  const services: Record<string, Record<string, string>> = {};
  let section = '';
  let current = shared;
  for (const line of text('docker-compose.yml').split('\n')) {
    section = /^([\w-]+):/.exec(line)?.[1] ?? section;
    const service = section === 'services' && /^ {2}(\w+):$/.exec(line)?.[1];
    if (service) current = services[service] = {};
    const [, name, value] = /^ +([A-Z][A-Z_]+): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) current[name] = value.replace(/^\$\{\w+:-(.*)\}$/, '$1');
  }
  return Object.fromEntries(['api', 'http', 'coap'].map((name) => [name, { ...shared, ...services[name] }]));
}

describe('docker-compose.yml', () => {
  it('gives each process settings that it starts with', () => {
    const settings = Object.entries(environments()).map(([name, given]) => [name, readSettings(given)] as const);
    expect(settings.map(([name, { TANDEM_ROLES }]) => [name, TANDEM_ROLES])).toEqual([
      ['api', ['api']],
      ['http', ['http']],
      ['coap', ['coap']],
    ]);
    for (const [, { REDIS_URL, TANDEM_ADMIN_PASSWORD }] of settings) {
      expect(REDIS_URL?.nodes).toEqual([{ host: 'redis', port: 6379 }]);
      expect(TANDEM_ADMIN_PASSWORD).toBeUndefined();
    }
  });

  it('gives no two processes the same port, so that they can also share the network of one machine', () => {
    const ports = Object.values(environments()).flatMap(({ TANDEM_METRICS_PORT, HTTP_BIND_PORT, COAP_BIND_PORT }) =>
      [TANDEM_METRICS_PORT, HTTP_BIND_PORT, COAP_BIND_PORT].filter((port) => port !== undefined),
    );
    expect(ports.sort()).toEqual(['5683', '8080', '8081', '9101', '9102', '9103']);
  });

  it('shows its metrics to the machine that it runs on alone', () => {
    const published = [...text('docker-compose.yml').matchAll(/"((?:[\d.]+:)?\d+:(\d+)(?:\/udp)?)"/g)];
    const metrics = Object.values(environments()).map(({ TANDEM_METRICS_PORT }) => TANDEM_METRICS_PORT);
    const ofMetrics = published.filter(([, , inside]) => metrics.includes(inside)).map(([, mapping]) => mapping);
    expect(ofMetrics).toEqual(metrics.map((port) => `127.0.0.1:${port}:${port}`));
  });

  it('has a Redis that answers only after it has flushed, as TANDEM_DURABILITY=power asks for', () => {
    const flat = text('docker-compose.yml').replace(/\n +- /g, ' ');
    expect(flat).toMatch(/--appendonly ['"]yes['"] --appendfsync always/);
    expect(flat).toContain('--maxmemory-policy noeviction');
    for (const given of Object.values(environments())) expect(given.TANDEM_DURABILITY).toBe('power');
  });
});
