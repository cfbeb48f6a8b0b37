import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readSettings } from '@tandem/core';
import { parse } from 'yaml';

const ROOT = join(__dirname, '..', '..');
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Service {
  readonly image: string;
  readonly user: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number | null>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly restart: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly logging: { readonly options: Readonly<Record<string, string>> };
  readonly mem_limit: string;
  readonly cpus: number | string;
  readonly pids_limit: number;
  readonly stop_grace_period: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** `${NAME:-default}` and `${NAME:+instead}`, as docker compose does it with this environment. */
function interpolated(source: string, environment: Readonly<Record<string, string | undefined>>): string {
  return source.replace(/\$\{(\w+):([-+])([^}]*)\}/g, (_, name: string, kind: string, word: string) => {
    const value = environment[name];
    if (kind === '+') return value ? word : '';
    return value || word;
  });
}

const composeFile = (environment: Readonly<Record<string, string | undefined>> = {}): ComposeFile =>
  parse(interpolated(text('docker-compose.yml'), environment), { merge: true, maxAliasCount: -1 }) as ComposeFile;

const GATEWAY = ['api', 'http', 'coap', 'coaps'];
const file = composeFile();
const services = Object.entries(file.services);
const settingsOf = (name: string, { services: all } = file) =>
  readSettings(
    Object.fromEntries(Object.entries(all[name]?.environment ?? {}).map(([key, value]) => [key, String(value ?? '')])),
  );

describe('docker-compose.yml', () => {
  it('gives each process settings that it starts with', () => {
    expect(GATEWAY.map((name) => settingsOf(name, withoutFiles(file)).TANDEM_ROLES)).toEqual([
      ['api'],
      ['http'],
      ['coap'],
      ['coaps'],
    ]);
    for (const name of GATEWAY) {
      const { REDIS_URL, TANDEM_ADMIN_PASSWORD, TANDEM_DURABILITY } = settingsOf(name, withoutFiles(file));
      expect(REDIS_URL?.nodes).toEqual([{ host: 'redis', port: 6379 }]);
      expect(TANDEM_ADMIN_PASSWORD).toBeUndefined();
      expect(TANDEM_DURABILITY).toBe('power');
    }
  });

  it('starts Redis and the four processes, and the rest only when it is asked for', () => {
    const started = (profile?: string) =>
      services.filter(([, { profiles }]) => profile === profiles?.[0]).map(([name]) => name);
    expect(started().sort()).toEqual(['api', 'coap', 'coaps', 'http', 'redis']);
    expect(started('monitoring')).toEqual(['prometheus', 'grafana']);
    expect(started('cluster')).toEqual([...[1, 2, 3, 4, 5, 6].map((n) => `redis-${n}`), 'redis-cluster']);
  });

  it.each(services)(
    'confines %s: a user, a file system to read, limits, no rights, and logs that end',
    (_, service) => {
      expect(service.user).toMatch(/^(?:[1-9]\d*:\d+|redis)$/);
      expect(service.read_only).toBe(true);
      expect(service.cap_drop).toEqual(['ALL']);
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
      expect(service.mem_limit).toMatch(/^\d+[mg]$/);
      expect(Number(service.cpus)).toBeGreaterThan(0);
      // An engine refuses more than the machine has.
      expect(Number(service.cpus)).toBeLessThanOrEqual(1);
      expect(service.pids_limit).toBeGreaterThan(0);
      expect(service.logging.options).toEqual({ 'max-size': '10m', 'max-file': '3' });
    },
  );

  it.each(services)(
    'looks after %s: an image of a version, a health check, a restart, time to stop',
    (name, service) => {
      expect(service.image).toMatch(/^tandem$|:v?\d[\w.-]*$/);
      const once = name === 'redis-cluster';
      expect(service.restart).toBe(once ? 'no' : 'unless-stopped');
      if (once) expect(service.healthcheck).toEqual({ disable: true });
      else expect(service.healthcheck.test?.[0]).toBe('CMD');
      expect(service.stop_grace_period).toMatch(/^\d+s$/);
    },
  );

  it('publishes what is meant for others, and shows its metrics to its own machine alone', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports).sort();
    expect(published).toEqual([
      '127.0.0.1:9090:9090',
      '127.0.0.1:9101:9101',
      '127.0.0.1:9102:9102',
      '127.0.0.1:9103:9103',
      '127.0.0.1:9104:9104',
      '3000:3000',
      '5683:5683/udp',
      '5684:5684/udp',
      '8080:8080',
      '8081:8081',
    ]);
  });

  it('gives no two services the same port inside, so that they can also share the network of one machine', () => {
    const inside = services.flatMap(([name, { ports = [], environment = {} }]) => [
      ...ports.map((port) => port.replace(/^.*:/, '')),
      ...(name.startsWith('redis') && environment.REDIS_PORT ? [String(environment.REDIS_PORT)] : []),
    ]);
    expect(new Set(inside).size).toBe(inside.length);
  });

  it('lets every port be chosen, and tells devices the chosen one', () => {
    const changed = composeFile({
      API_PORT: '18080',
      HTTP_PORT: '18081',
      COAP_PORT: '15683',
      COAPS_PORT: '15684',
      PUBLIC_HOST: 'devices.example.com',
    });
    const { api, http, coap, coaps } = changed.services;
    expect([api, http, coap, coaps].map((service) => service?.ports?.[0])).toEqual([
      '18080:8080',
      '18081:8081',
      '15683:5683/udp',
      '15684:5684/udp',
    ]);
    expect(api?.environment).toMatchObject({
      DEVICE_CONNECTIVITY_HTTP_PORT: 18081,
      DEVICE_CONNECTIVITY_COAP_PORT: 15683,
      DEVICE_CONNECTIVITY_COAPS_PORT: 15684,
      DEVICE_CONNECTIVITY_COAPS_HOST: 'devices.example.com',
    });
  });

  it('has Redis in a network with no way in or out', () => {
    for (const [name, { networks, ports }] of services.filter(([each]) => each.startsWith('redis'))) {
      expect(ports).toBeUndefined();
      const [network = '', ...more] = Array.isArray(networks) ? networks : Object.keys(networks);
      expect([name, file.networks[network]?.internal, more]).toEqual([name, true, []]);
    }
  });

  it('names every volume and secret that is used, and uses every one', () => {
    const volumes = services.flatMap(([, { volumes: of = [] }]) => of.map((volume) => volume.split(':')[0] ?? ''));
    const named = new Set(volumes.filter((volume) => !volume.startsWith('./')));
    expect([...named].sort()).toEqual(Object.keys(file.volumes).sort());
    const secrets = new Set(services.flatMap(([, { secrets: of = [] }]) => of));
    expect([...secrets].sort()).toEqual(Object.keys(file.secrets).sort());
  });

  it('finds every file that it mounts, and can read it', () => {
    const named: string[] = [];
    for (const [name, { volumes = [], command = [], healthcheck, environment = {} }] of services) {
      for (const volume of volumes.filter((each) => each.startsWith('./'))) {
        const [folder = '', inside = ''] = volume.split(':');
        for (const path of filesBelow(folder)) expect([path, faultOf(path)]).toEqual([path, undefined]);
        const words = [...command, ...(healthcheck.test ?? []), ...Object.values(environment)].map(String);
        for (const word of words.filter((each) => each.includes(`${inside}/`))) {
          const path = join(folder, word.slice(word.indexOf(inside) + inside.length));
          expect([name, path, existsSync(join(ROOT, path))]).toEqual([name, path, true]);
          named.push(path);
        }
      }
    }
    expect([...new Set(named)].sort()).toEqual([
      'deploy/grafana/provisioning',
      'deploy/prometheus/prometheus.yml',
      'deploy/redis/healthy.sh',
      'deploy/redis/make-cluster.sh',
      'deploy/redis/start.sh',
    ]);
  });

  it('hands secrets over as files, to those that need them', () => {
    const given = {
      TANDEM_ADMIN_PASSWORD_FILE: './admin',
      TANDEM_SECRET_KEY_FILE: './key',
      REDIS_PASSWORD_FILE: './redis',
      COAPS_CERT_FILE: './cert',
      COAPS_KEY_FILE: './cert-key',
      HTTPS_CERT_FILE: './https',
      HTTPS_KEY_FILE: './https-key',
    };
    const { services: all, secrets } = composeFile(given);
    expect(
      Object.values(secrets)
        .map((secret) => secret.file)
        .sort(),
    ).toEqual(Object.values(given).sort());
    for (const name of GATEWAY) {
      const { environment = {}, secrets: mounted = [] } = all[name] ?? {};
      const used = Object.values(environment).filter((value) => String(value).startsWith('/run/secrets/'));
      expect(used.map((path) => String(path).replace('/run/secrets/', '')).sort()).toEqual([...mounted].sort());
    }
    // Without any of them there is an empty file, and nothing that names it.
    expect(new Set(Object.values(file.secrets).map((secret) => secret.file))).toEqual(new Set(['/dev/null']));
    expect(JSON.stringify(GATEWAY.map((name) => file.services[name]?.environment))).not.toContain('/run/secrets');
  });

  it('has a Redis that answers only after it has flushed, as TANDEM_DURABILITY=power asks for', () => {
    expect(text('deploy/redis/start.sh')).toMatch(/--appendonly yes --appendfsync always --save ''/);
    expect(text('deploy/redis/start.sh')).toContain('--maxmemory-policy noeviction');
  });

  it('has its processes at a Cluster, which has replicas to wait for, with the file for that', () => {
    const environment = parseEnv(text('deploy/compose/cluster.env'));
    const changed = withoutFiles(composeFile(environment));
    const masters = [7001, 7002, 7003].map((port, n) => ({ host: `redis-${n + 1}`, port }));
    for (const name of GATEWAY) {
      expect(settingsOf(name, changed)).toMatchObject({ TANDEM_REDIS_WAIT_REPLICAS: 1, REDIS_URL: { nodes: masters } });
      expect(changed.services[name]?.networks).toEqual(['front', 'cluster']);
    }
  });
});

describe('The image', () => {
  it('has the version of the packages', () => {
    const { version } = JSON.parse(text('package.json')) as { version: string };
    expect(text('Dockerfile')).toContain(`ARG VERSION=${version}\n`);
  });

  it('has of every package what its package.json says', () => {
    for (const name of readdirSync(join(ROOT, 'packages'))) {
      const manifest = join('packages', name, 'package.json');
      if (!existsSync(join(ROOT, manifest))) continue;
      const { files = ['dist'] } = JSON.parse(text(manifest)) as { files?: string[] };
      expect(files).toContain('dist');
      for (const each of files)
        expect([name, each, existsSync(join(ROOT, 'packages', name, each))]).toEqual([name, each, true]);
    }
  });
});

describe('The monitoring of docker-compose.yml', () => {
  it('collects from every process, at the port of its metrics', () => {
    const { scrape_configs: jobs } = parse(text('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { job_name: string; dns_sd_configs?: { names: string[]; port: number }[] }[];
    };
    const targets = jobs.find(({ job_name }) => job_name === 'tandem')?.dns_sd_configs ?? [];
    expect(targets.map(({ names, port }) => [names[0], port])).toEqual(
      GATEWAY.map((name) => [name, file.services[name]?.environment?.TANDEM_METRICS_PORT]),
    );
  });

  it('has rules, each with what a reader of the alert needs', () => {
    const folder = join('deploy', 'prometheus');
    const { rule_files: patterns } = parse(text(join(folder, 'prometheus.yml'))) as { rule_files: string[] };
    expect(patterns).toEqual(['alerts*.yml']);
    const rules = readdirSync(join(ROOT, folder))
      .filter((name) => /^alerts.*\.yml$/.test(name))
      .flatMap((name) => (parse(text(join(folder, name))) as { groups: { rules: object[] }[] }).groups)
      .flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    for (const rule of rules) {
      expect(rule).toMatchObject({
        alert: expect.stringMatching(/^Tandem[A-Z]\w+$/),
        expr: expect.stringMatching(/./),
        labels: { severity: expect.stringMatching(/^(?:warning|critical)$/) },
        annotations: { summary: expect.stringMatching(/./) },
      });
    }
  });

  it('shows Grafana where Prometheus and the dashboards are', () => {
    const provisioning = join('deploy', 'grafana', 'provisioning');
    const { datasources } = parse(text(join(provisioning, 'datasources', 'prometheus.yml'))) as {
      datasources: { url: string }[];
    };
    expect(datasources.map(({ url }) => url)).toEqual(['http://prometheus:9090']);
    const { providers } = parse(text(join(provisioning, 'dashboards', 'tandem.yml'))) as {
      providers: { options: { path: string } }[];
    };
    expect(file.services.grafana?.volumes).toContain(`./deploy/grafana:${providers[0]?.options.path}:ro`);
    const dashboards = filesBelow('deploy/grafana').filter((path) => path.endsWith('.json'));
    expect(dashboards).toContain('deploy/grafana/tandem.json');
    for (const path of dashboards) {
      expect(JSON.parse(text(path))).toMatchObject({
        uid: expect.stringMatching(/^[\w-]+$/),
        title: expect.stringMatching(/./),
        panels: expect.arrayContaining([expect.objectContaining({ id: expect.any(Number) })]),
      });
    }
  });
});

/** Files in a folder of the repository and in those below it. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** What who reads the file in a container would say first. */
function faultOf(path: string): string | undefined {
  try {
    if (path.endsWith('.json')) JSON.parse(text(path));
    else if (path.endsWith('.yml')) parse(text(path));
    else if (path.endsWith('.sh')) execFileSync('sh', ['-n', join(ROOT, path)], { stdio: 'pipe' });
    else return 'nobody knows what this is';
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The settings themselves: what a `..._FILE` names is there only inside. */
function withoutFiles(given: ComposeFile): ComposeFile {
  const all = Object.entries(given.services).map(([name, service]) => {
    const environment = Object.entries(service.environment ?? {}).filter(([key]) => !/PASSWORD_FILE$/.test(key));
    return [name, { ...service, environment: Object.fromEntries(environment) }];
  });
  return { ...given, services: Object.fromEntries(all) };
}
