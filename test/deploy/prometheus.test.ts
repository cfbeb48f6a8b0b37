import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { cleanUp, GatewayProcess, ROOT } from '../support/gateway-process';
import { HttpDevice } from '../support/http-device';
import { ServerClient } from '../support/server-client';

const FOLDER = join(ROOT, 'deploy', 'prometheus');
const PROMTOOL = !spawnSync('promtool', ['--version']).error;
const withPromtool = PROMTOOL ? it : it.skip;
const UNLESS = PROMTOOL ? '' : ' (not tried: there is no promtool here)';

function promtool(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, input, encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}` };
}

describe('What deploy/prometheus has', () => {
  it('loads the alerts by the name that they have there', () => {
    const { rule_files: files } = parse(readFileSync(join(FOLDER, 'prometheus.yml'), 'utf8')) as {
      rule_files: string[];
    };
    const patterns = files.map((file) => new RegExp(`^${file.replaceAll('.', '\\.').replaceAll('*', '.*')}$`));
    expect(existsSync(join(FOLDER, 'alerts.yml'))).toBe(true);
    expect(patterns.some((pattern) => pattern.test('alerts.yml'))).toBe(true);
  });

  withPromtool(`are rules that Prometheus takes${UNLESS}`, () => {
    expect(promtool(['check', 'rules', 'alerts.yml'])).toMatchObject({ status: 0 });
    // A rule that is none would be seen.
    expect(promtool(['check', 'rules'], 'groups: [{ name: a, rules: [{ alert: A, expr: "sum(" }] }]').status).not.toBe(
      0,
    );
  });

  withPromtool(`is a configuration that Prometheus takes${UNLESS}`, () => {
    expect(promtool(['check', 'config', 'prometheus.yml'])).toMatchObject({ status: 0 });
  });
});

describe('What a gateway that has served tells Prometheus', () => {
  afterAll(cleanUp);

  withPromtool(`is as Prometheus wants it${UNLESS}`, async () => {
    const gateway = await GatewayProcess.start();
    await (await ServerClient.login(gateway.http)).createDevice('prometheus-device');
    expect((await new HttpDevice(gateway.http, 'prometheus-device').post('telemetry', '{"a":1}')).status).toBe(200);
    const text = await (await fetch(`http://127.0.0.1:${gateway.metrics}/metrics`)).text();
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, text: '' });
  });
});
