#!/usr/bin/env node
// Writes the generated pages of docs/reference from the built packages. Usage: node tools/generate-docs.mjs [folder]
// `npm run docs` builds first; test/docs.test.ts fails when the pages in the repository differ from these.
import fs from 'node:fs';
import path from 'node:path';
import core from '../packages/core/dist/index.js';
import configCommands from '../packages/gateway/dist/settings/config-commands.js';
import { conformancePage } from './conformance-page.mjs';
import { metricsPage } from './metrics-page.mjs';
import { describeServerApi, serverApiPage } from './server-api-page.mjs';

const root = path.dirname(path.dirname(new URL(import.meta.url).pathname));
const folder = process.argv[2] ?? path.join(root, 'docs', 'reference');

fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync(path.join(folder, 'settings.md'), settingsPage());
fs.writeFileSync(path.join(folder, 'errors.md'), errorsPage());
fs.writeFileSync(
  path.join(folder, 'metrics.md'),
  metricsPage(core, generatedFrom('packages/core/src/platform/metrics/table')),
);
fs.writeFileSync(path.join(folder, 'coap-conformance.md'), conformancePage(root, generatedFrom('test/compliance')));
const serverApi = await describeServerApi();
fs.writeFileSync(path.join(folder, 'openapi.json'), `${JSON.stringify(serverApi, null, 1)}\n`);
fs.writeFileSync(
  path.join(folder, 'server-api.md'),
  serverApiPage(serverApi, generatedFrom('packages/server-api/src/controllers')),
);

function settingsPage() {
  return `${generatedFrom('packages/core/src/config/settings')}
# Settings

Each is an environment variable, or a \`NAME=value\` line of the file given with \`tandem serve --config <file>\`; the
environment wins. An empty value counts as unset. A malformed value stops the start, and so does an unknown name: in the
file any, in the environment one that begins with \`TANDEM_\`. \`tandem config check\` says what is wrong without starting,
\`tandem config print\` shows what holds here, \`tandem config docs\` prints this table.

A secret can be in a file of its own, as container engines hand them over: \`TANDEM_ADMIN_PASSWORD_FILE=/run/secrets/admin\` stands for
\`TANDEM_ADMIN_PASSWORD\`, and so with every setting that is called a secret here. The end of its last line does not count.

Traces have OpenTelemetry's own variables, \`OTEL_...\`, of the environment alone: [follow a request](../guides/monitor.md#follow-a-request).

${configCommands.settingsReference()}
`;
}

function errorsPage() {
  const rows = Object.entries(core.ERRORS).map(
    ([code, { http, coap, errorCode, retryable, sentence }]) =>
      `| \`${code}\` | ${http} | ${coap} | ${errorCode} | ${retryable ? 'yes' : 'no'} | ${sentence.replaceAll('|', '\\|')} |`,
  );
  return `${generatedFrom('packages/core/src/errors.ts')}
# Errors

Every failure is one of these rows. *Retry* says whether the same request can succeed later without being changed. The
sentence is what is said where the situation has no words of its own.

| Code | HTTP | CoAP | \`errorCode\` | Retry | Sentence |
|---|---|---|---|---|---|
${rows.join('\n')}

## What is sent

- **Device API over HTTP**: the status and
  \`{"status":400,"message":"...","errorCode":31,"timestamp":1700000000000}\`, with these exceptions: 401 and 408 have no
  body, 413 has a JSON string, \`DEVICE_DELETED\` plain text. 429 and 503 come with \`Retry-After\` in seconds. 500 comes with
  \`X-Correlation-Id\`, which its message ends with.
- **Server API**: the same JSON. The telemetry and RPC calls say 400, 403 and 404 as plain text; \`Retry-After\` is there
  where it is known when a retry makes sense. 500 comes with \`X-Correlation-Id\` here, too.
- **CoAP**: the code and no payload, but for \`INTERNAL\`: 5.00 has its correlation id, 12 characters. Where it is known when a retry makes sense, Max-Age says it in seconds.

The correlation id is that of one line in the log of the gateway, \`correlationId\`, which says what went wrong.
`;
}

function generatedFrom(source) {
  return `<!-- Generated from ${source} by \`npm run docs\` (tsc -b && node tools/generate-docs.mjs): do not edit. -->`;
}
