import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings, SETTINGS, type Setting, type SettingName } from '@tandem/core';
import Ajv from 'ajv';
import { ROOT } from '../support/gateway-process';
import { type Labels, type Manifest, ofKind, podsOf, renderedManifests, selected } from './manifests';

// What helm renders is kept in deploy/helm/rendered; that it is, `npm run test:helm` checks where there is a helm.
const charts = [...renderedManifests()];

const { kinds, definitions } = JSON.parse(readFileSync(join(__dirname, 'schemas', 'kubernetes.json'), 'utf8')) as {
  kinds: Record<string, string>;
  definitions: object;
};
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: false });
ajv.addSchema({ definitions }, 'kubernetes');

/** What Kubernetes would refuse of it. */
function problemsOf({ apiVersion, kind, ...rest }: Manifest): string[] {
  const definition = kinds[`${apiVersion}/${kind}`];
  if (definition === undefined) return [`${apiVersion}/${kind} is not known`];
  ajv.validate({ $ref: `kubernetes#/definitions/${definition}` }, { apiVersion, kind, ...rest });
  return (ajv.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${kind} ${rest.metadata.name} ${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

it('The chart is rendered with each file of values', () => {
  const values = readdirSync(join(ROOT, 'deploy', 'helm', 'values')).map((file) => file.replace('.yaml', ''));
  expect(charts.map(([name]) => name)).toEqual(values);
});

describe.each(charts)('The chart with the values of %s', (_, manifests) => {
  const pods = podsOf(manifests);
  const services = ofKind(manifests, 'Service');
  const container = (name: string) => pods.find(({ workload }) => workload.metadata.name === name)?.container;

  it('is as the schemas of Kubernetes want it', () => {
    expect(manifests.length).toBeGreaterThan(4);
    // Of an operator, which brings its schema with it.
    const ours = manifests.filter(({ kind }) => kind !== 'PodMonitor');
    expect(ours.flatMap(problemsOf)).toEqual([]);
  });

  it('names nothing twice', () => {
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
  });

  it('gives each pod settings that the gateway starts with, and none that it does not know', () => {
    expect(pods.length).toBeGreaterThan(0);
    for (const { environment } of pods) {
      const { TANDEM_ROLES } = readSettings(environment);
      expect(TANDEM_ROLES.join()).toBe(environment.TANDEM_ROLES);
      expect(Object.keys(environment).filter((name) => !Object.hasOwn(SETTINGS, name) && !/^OTEL_/.test(name))).toEqual(
        [],
      );
    }
  });

  it('has no secret in a ConfigMap', () => {
    const shown = ofKind(manifests, 'ConfigMap').flatMap(({ data = {} }) => Object.entries(data));
    const isSecret = ([name, value]: [string, string]) => {
      const { secret, looksSecret }: Setting<unknown> = SETTINGS[name as SettingName];
      return secret === true || looksSecret?.(value) === true;
    };
    expect(shown.filter(isSecret)).toEqual([]);
    expect(isSecret(['TANDEM_ADMIN_PASSWORD', 'x'])).toBe(true);
  });

  it('declares the ports that the gateway listens on, and asks for its health where it answers', () => {
    for (const { container, environment } of pods) {
      const listens = readSettings(environment);
      const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
      const runs = (role: (typeof listens.TANDEM_ROLES)[number]) => listens.TANDEM_ROLES.includes(role);
      expect(ports).toEqual({
        metrics: listens.TANDEM_METRICS_PORT,
        ...((runs('http') || runs('api')) && { http: listens.HTTP_BIND_PORT }),
        ...(runs('coap') && { coap: listens.COAP_BIND_PORT }),
        ...((runs('coaps') || listens.COAP_DTLS_ENABLED) && { coaps: listens.COAP_DTLS_BIND_PORT }),
      });
      const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
      expect(probes.map(({ httpGet }) => httpGet.port)).toEqual(['metrics', 'metrics', 'metrics']);
      expect(container.startupProbe.httpGet.path).toBe('/readyz');
      expect(container.livenessProbe.httpGet.path).toBe('/livez');
      // A door for CoAP stays in its service while the store is away, and so does the only pod there is.
      const replaceable = !runs('coap') && !runs('coaps');
      expect(container.readinessProbe.httpGet.path).toBe(replaceable ? '/readyz' : '/livez');
    }
  });

  it('mounts every file that a setting names', () => {
    for (const { container, spec, environment } of pods) {
      const mounts = container.volumeMounts ?? [];
      const files = Object.values(environment).filter((value) => value.startsWith('/'));
      const outside = files.filter((file) => !mounts.some(({ mountPath }) => file.startsWith(`${mountPath}/`)));
      expect(outside).toEqual([]);
      const volumes = [...(spec.volumes ?? []), { name: 'data' }].map(({ name }) => name);
      expect(volumes).toEqual(expect.arrayContaining(mounts.map(({ name }) => name)));
    }
  });

  it('leads every service, budget and policy to the pods of its role alone', () => {
    for (const { kind, metadata, spec } of manifests) {
      const selectors = [spec?.podSelector?.matchLabels, labelsOf(spec?.selector)].filter(
        (labels) => labels !== undefined,
      );
      if (kind === 'PodMonitor') expect(selected(selectors[0] ?? {}, pods)).toHaveLength(pods.length);
      else {
        const own = metadata.labels?.['app.kubernetes.io/component'];
        const workloads = pods.filter(({ labels }) => labels['app.kubernetes.io/component'] === own);
        for (const labels of selectors) {
          expect(selected(labels, pods)).toEqual(workloads.map(({ workload }) => workload.metadata.name));
          expect(workloads).toHaveLength(1);
        }
      }
    }
    for (const { spec, workload } of pods)
      for (const { labelSelector } of spec.topologySpreadConstraints ?? [])
        expect(selected(labelSelector.matchLabels, pods)).toEqual([workload.metadata.name]);
  });

  it('keeps the addresses of devices over CoAP, and each with its pod', () => {
    for (const { spec } of services.filter(({ spec }) => spec?.ports?.some(({ protocol }) => protocol === 'UDP'))) {
      expect(spec).toMatchObject({
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_400 } },
      });
    }
    // Every door of CoAP has a service, or the address of its node.
    const led = services.flatMap(({ spec }) => selected(labelsOf(spec?.selector) ?? {}, pods));
    const doors = pods.filter(({ spec }) => !spec.hostNetwork).map(({ workload }) => workload.metadata.name);
    expect([...new Set(led)].sort()).toEqual(doors.sort());
  });

  it('leads services to ports that are there, and none to the metrics', () => {
    for (const { spec } of services) {
      const [name = ''] = selected(labelsOf(spec?.selector) ?? {}, pods);
      const ports = container(name)?.ports.map((port) => `${port.name} ${port.protocol}`);
      for (const { targetPort, protocol } of spec?.ports ?? []) {
        expect(ports).toContain(`${targetPort} ${protocol}`);
        expect(targetPort).not.toBe('metrics');
      }
    }
  });

  it('runs as nobody in particular, who can write nothing but the data folder and asks Kubernetes nothing', () => {
    for (const { spec, container } of pods) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(spec.automountServiceAccountToken).toBe(false);
    }
    expect(ofKind(manifests, 'ServiceAccount')).toMatchObject([{ automountServiceAccountToken: false }]);
  });

  it('keeps the variables of services, such as TANDEM_PORT, out of the environment, with which no gateway would start', () => {
    expect(() => readSettings({ TANDEM_PORT: 'tcp://10.0.0.1:80' })).toThrow('TANDEM_PORT is not a setting');
    for (const { spec } of pods) expect(spec.enableServiceLinks).toBe(false);
  });

  it('gives a pod that has to go the time that the gateway takes', () => {
    for (const { spec, container } of pods) {
      const [command, seconds] = container.lifecycle.preStop.exec.command;
      expect(command).toBe('sleep');
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + 10);
    }
  });

  it('says either how many pods there are or what they are scaled by', () => {
    const scaled = ofKind(manifests, 'HorizontalPodAutoscaler').map(({ spec }) => spec?.scaleTargetRef?.name);
    for (const { workload, container } of pods) {
      expect(workload.spec?.replicas === undefined).toBe(scaled.includes(workload.metadata.name));
      expect(container.resources.requests.cpu).toBeDefined();
    }
    const names = pods.map(({ workload }) => workload.metadata.name);
    expect(names).toEqual(expect.arrayContaining(scaled));
  });

  it('leads its Ingress to ports of services that are there', () => {
    const backends = ofKind(manifests, 'Ingress').flatMap(({ spec }) =>
      (spec?.rules ?? []).flatMap(({ http }) => http.paths.map(({ backend }) => backend.service)),
    );
    for (const { name, port } of backends) {
      const service = services.find(({ metadata }) => metadata.name === name);
      expect(service?.spec?.ports?.map((known) => known.name)).toEqual([port.name]);
    }
  });
});

describe('The chart', () => {
  const rendered = new Map(charts);
  const all = (name: string) => rendered.get(name) ?? [];

  it('gives a role its own settings beside those of all', () => {
    const settings = Object.fromEntries(
      podsOf(all('everything')).map(({ workload, environment }) => [workload.metadata.name, environment]),
    );
    expect(settings['tandem-coap']).toMatchObject({ COAP_ECHO: 'on', TANDEM_CREDENTIALS_CACHE_MAX: '1000000' });
    expect(settings['tandem-api']).not.toHaveProperty('COAP_ECHO');
    expect(settings['tandem-api']).toMatchObject({ TANDEM_CREDENTIALS_CACHE_MAX: '1000000' });
  });

  it('tells the first password to the server API alone', () => {
    const told = podsOf(all('processes')).filter(({ environment }) => 'TANDEM_ADMIN_PASSWORD' in environment);
    expect(told.map(({ workload }) => workload.metadata.name)).toEqual(['tandem-api']);
  });

  it('on the embedded store is one pod at a time, with a volume', () => {
    expect(ofKind(all('single'), 'StatefulSet')).toMatchObject([
      { spec: { replicas: 1, volumeClaimTemplates: [{ metadata: { name: 'data' } }] } },
    ]);
    expect(ofKind(all('single'), 'Deployment')).toEqual([]);
  });

  it('has a budget for each role, so that a node that is drained takes one pod at a time', () => {
    const budgets = ofKind(all('processes'), 'PodDisruptionBudget');
    expect(budgets.map(({ metadata }) => metadata.name)).toEqual(['tandem-api', 'tandem-http', 'tandem-coap']);
    for (const { spec } of budgets) expect(spec).toMatchObject({ maxUnavailable: 1 });
  });

  it('lets nobody but those that are named read the metrics', () => {
    const [policy] = ofKind(all('everything'), 'NetworkPolicy');
    expect(policy?.spec?.ingress).toEqual([
      { ports: [{ port: 'http', protocol: 'TCP' }] },
      { from: [expect.anything()], ports: [{ port: 'metrics', protocol: 'TCP' }] },
    ]);
  });

  it('is known to be wrong when it is: a member that Kubernetes does not know, a text for a number', () => {
    const [service] = ofKind(all('single'), 'Service');
    if (!service) throw new Error('no service');
    expect(problemsOf(service)).toEqual([]);
    const spoilt = {
      ...service,
      spec: { ...service.spec, externalTrafficPolice: 'Local', ports: [{ name: 'coap', port: 'x' }] },
    };
    expect(problemsOf(spoilt as unknown as Manifest)).toEqual([
      expect.stringContaining('externalTrafficPolice'),
      expect.stringContaining('must be integer'),
    ]);
    expect(problemsOf({ ...service, apiVersion: 'v2' })).toEqual(['v2/Service is not known']);
  });
});

/** Of a service the selector is its labels, of all others it has them. */
function labelsOf(selector: object | undefined): Labels | undefined {
  if (selector === undefined) return undefined;
  return 'matchLabels' in selector ? (selector.matchLabels as Labels) : (selector as Labels);
}
