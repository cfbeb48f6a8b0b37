// Writes test/deploy/schemas/kubernetes.json: JSON schemas of the kinds that the Helm chart renders, cut out of Kubernetes' own OpenAPI
// description. A member that Kubernetes does not know is refused, as `kubectl apply --validate=strict` does.
//
//   node tools/kubernetes-schemas.mjs <swagger.json> <version>
//
// The description is api/openapi-spec/swagger.json of a release of https://github.com/kubernetes/kubernetes (Apache-2.0);
// `go mod download -json k8s.io/kubernetes@v1.37.2` fetches one.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOTS = {
  'v1/ConfigMap': 'io.k8s.api.core.v1.ConfigMap',
  'v1/Service': 'io.k8s.api.core.v1.Service',
  'v1/ServiceAccount': 'io.k8s.api.core.v1.ServiceAccount',
  'apps/v1/Deployment': 'io.k8s.api.apps.v1.Deployment',
  'apps/v1/StatefulSet': 'io.k8s.api.apps.v1.StatefulSet',
  'autoscaling/v2/HorizontalPodAutoscaler': 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  'networking.k8s.io/v1/Ingress': 'io.k8s.api.networking.v1.Ingress',
  'networking.k8s.io/v1/NetworkPolicy': 'io.k8s.api.networking.v1.NetworkPolicy',
  'policy/v1/PodDisruptionBudget': 'io.k8s.api.policy.v1.PodDisruptionBudget',
};
const PREFIX = '#/definitions/';
const KEPT = new Set(['type', 'properties', 'required', 'items', 'additionalProperties', '$ref', 'enum']);
const TARGET = join(dirname(fileURLToPath(import.meta.url)), '..', 'test', 'deploy', 'schemas', 'kubernetes.json');

const [source, version] = process.argv.slice(2);
const { definitions } = JSON.parse(readFileSync(source, 'utf8'));
const wanted = new Map();
for (const name of Object.values(ROOTS)) take(name);

function take(name) {
  if (wanted.has(name)) return;
  wanted.set(name, undefined);
  wanted.set(name, name.endsWith('.resource.Quantity') ? { type: ['string', 'number'] } : trimmed(definitions[name]));
}

function trimmed(schema) {
  if (schema.$ref) take(schema.$ref.slice(PREFIX.length));
  if (schema.format === 'int-or-string') return { type: ['string', 'integer'] };
  const kept = Object.fromEntries(Object.entries(schema).filter(([key]) => KEPT.has(key)));
  if (kept.items) kept.items = trimmed(kept.items);
  if (typeof kept.additionalProperties === 'object') kept.additionalProperties = trimmed(kept.additionalProperties);
  if (kept.properties) {
    kept.properties = Object.fromEntries(Object.entries(kept.properties).map(([key, value]) => [key, trimmed(value)]));
    kept.additionalProperties ??= false;
  }
  return kept;
}

const lines = [...wanted]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, schema]) => `  ${JSON.stringify(name)}: ${JSON.stringify(schema)}`);
writeFileSync(
  TARGET,
  `{
"$comment": "Cut out of the OpenAPI description of Kubernetes ${version}, Copyright The Kubernetes Authors, Apache-2.0, by tools/kubernetes-schemas.mjs: do not edit",
"kinds": ${JSON.stringify(ROOTS)},
"definitions": {
${lines.join(',\n')}
}
}
`,
);
