import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from '../support/gateway-process';

/** What of a manifest of Kubernetes the tests look at; that the rest is right, its schema says. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: ServiceSpec & WorkloadSpec & AutoscalerSpec & IngressSpec & PolicySpec;
}

export type Labels = Readonly<Record<string, string>>;
interface LabelSelector {
  readonly matchLabels: Labels;
}

interface ServiceSpec {
  readonly type?: string;
  readonly externalTrafficPolicy?: string;
  readonly sessionAffinity?: string;
  readonly ports?: readonly { name: string; port: number; targetPort: string; protocol: string }[];
}

interface WorkloadSpec {
  readonly replicas?: number;
  /** Of a service the labels themselves. */
  readonly selector?: LabelSelector | Labels;
  readonly template?: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec };
}

interface AutoscalerSpec {
  readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
}

interface PolicySpec {
  readonly podSelector?: LabelSelector;
  readonly ingress?: readonly { readonly ports: readonly { port: string; protocol: string }[] }[];
}

interface IngressSpec {
  readonly rules?: readonly {
    readonly http: {
      readonly paths: readonly { path: string; backend: { service: { name: string; port: { name: string } } } }[];
    };
  }[];
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds: number;
  readonly hostNetwork?: boolean;
  readonly topologySpreadConstraints?: readonly { readonly labelSelector: LabelSelector }[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string }[];
}

export interface Container {
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly protocol: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly resources: { readonly requests: Readonly<Record<string, string>> };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** A pod as its workload makes it. */
export interface Pod {
  readonly workload: Manifest;
  readonly labels: Labels;
  readonly spec: PodSpec;
  readonly container: Container;
  /** What the gateway finds in its environment; what comes from a secret is what `secrets` says. */
  readonly environment: Readonly<Record<string, string>>;
}

const RENDERED = join(ROOT, 'deploy', 'helm', 'rendered');

/** What stands in the secrets that the values name. */
const SECRETS: Readonly<Record<string, string>> = {
  REDIS_URL: 'redis://redis:6379',
  TANDEM_ADMIN_PASSWORD: '',
  TANDEM_SYSADMIN_PASSWORD: '',
};

/** The rendered chart, by the values it was rendered with. */
export function renderedManifests(): ReadonlyMap<string, readonly Manifest[]> {
  return new Map(
    readdirSync(RENDERED).map((file) => {
      // As Kubernetes reads it: there an unquoted `on` is true.
      const documents = parseAllDocuments(readFileSync(join(RENDERED, file), 'utf8'), { version: '1.1' });
      return [file.replace('.yaml', ''), documents.map((document) => document.toJS() as Manifest)] as const;
    }),
  );
}

export const ofKind = (manifests: readonly Manifest[], kind: string): readonly Manifest[] =>
  manifests.filter((manifest) => manifest.kind === kind);

export function podsOf(manifests: readonly Manifest[]): readonly Pod[] {
  return manifests.flatMap((workload) => {
    const template = workload.spec?.template;
    const container = template?.spec.containers[0];
    if (!template || !container) return [];
    const environment = environmentOf(container, manifests);
    return [{ workload, labels: template.metadata.labels, spec: template.spec, container, environment }];
  });
}

function environmentOf({ envFrom, env = [] }: Container, manifests: readonly Manifest[]): Record<string, string> {
  const maps = envFrom.map(({ configMapRef }) => {
    const map = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name);
    if (!map?.data) throw new Error(`there is no ConfigMap ${configMapRef.name}`);
    return map.data;
  });
  const variables = env.map(({ name, value }) => [name, value ?? SECRETS[name] ?? '']);
  return Object.assign({}, ...maps, Object.fromEntries(variables));
}

/** The names of the workloads whose pods have these labels. */
export function selected(selector: Labels, pods: readonly Pod[]): string[] {
  const wanted = Object.entries(selector);
  return pods
    .filter(({ labels }) => wanted.every(([name, value]) => labels[name] === value))
    .map(({ workload }) => workload.metadata.name);
}
