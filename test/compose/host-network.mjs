// For an engine that makes no networks, as in some CI jobs: all services on the host's network, where each name means the loopback
// interface. Reads `docker compose --profile '*' config --format json`, writes a compose file that goes behind the first.
import fs from 'node:fs';

const { services } = JSON.parse(fs.readFileSync(0, 'utf8'));
const hosts = Object.keys(services).map((name) => `      - "${name}:127.0.0.1"`);
const lines = Object.entries(services).flatMap(([name, { build }]) => [
  `  ${name}:`,
  '    network_mode: host',
  '    networks: !reset null',
  '    ports: !reset null',
  '    extra_hosts:',
  ...hosts,
  ...(build ? ['    build: { network: host }'] : []),
]);
process.stdout.write(`services:\n${lines.join('\n')}\n`);
