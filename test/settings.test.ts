import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, type Environment, GatewayProcess, TandemProcess, temporaryFolder } from './support/gateway-process';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

async function tandem(args: readonly string[], environment: Environment = {}) {
  const command = new TandemProcess(args, environment);
  const { code } = await command.exit;
  return { code, stdout: command.stdout, stderr: command.stderr, problems: command.stderrLines };
}

function settingsFile(text: string): string {
  const file = join(temporaryFolder(), 'tandem.env');
  writeFileSync(file, text);
  return file;
}

describe('A start with wrong settings', () => {
  it('is refused with a line for each problem, before anything is written', async () => {
    const gateway = GatewayProcess.launch({
      TANDEM_DATADIR: '/tmp/x',
      HTTP_BIND_PORT: 'eighty',
      SSL_ENABLED: 'yes',
      TANDEM_LOG_LEVEL: 'loud',
    });
    expect(await gateway.exit).toEqual({ code: 1, signal: null });
    expect(gateway.stdout).toBe('');
    expect(gateway.stderrLines.sort()).toEqual([
      'tandem: HTTP_BIND_PORT must be a whole number from 0 to 65535, not "eighty"',
      'tandem: SSL_ENABLED must be true or false, not "yes"',
      'tandem: TANDEM_DATADIR is not a setting; the nearest is TANDEM_DATA_DIR',
      'tandem: TANDEM_LOG_LEVEL must be one of error, warn, info, debug, not "loud"',
    ]);
  });

  it('without the role `api` is refused: nobody would ever read what devices send', async () => {
    const gateway = GatewayProcess.launch({ TANDEM_ROLES: 'http,coap' });
    expect(await gateway.exit).toEqual({ code: 1, signal: null });
    expect(gateway.stderrLines).toHaveLength(1);
    expect(gateway.stderr).toMatch(/^tandem: TANDEM_ROLES must name api: .*not "http,coap"\n$/);
  });
});

describe('The roles http and api', () => {
  it('open no UDP port', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    // With the role `coap` this start would be refused: the port is taken.
    const gateway = await GatewayProcess.start({ TANDEM_ROLES: 'http,api', COAP_BIND_PORT: String(port) });
    socket.close();
    const ready = await gateway.logged('ready');
    expect(ready.coap).toBeUndefined();
    expect(await gateway.metric('tandem_coap_observations')).toBeNaN();
    await ServerClient.login(gateway.http);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('A settings file', () => {
  it('is read, and the environment wins over it', async () => {
    const file = settingsFile('# ours\nexport JWT_TOKEN_ISSUER=file\nTANDEM_LOG_LEVEL="warn"\nCOAP_TIMEOUT=5000\n\n');
    const { stdout, code } = await tandem(['config', 'print', '--config', file], {
      JWT_TOKEN_ISSUER: 'environment',
      COAP_TIMEOUT: '',
    });
    expect(code).toBe(0);
    expect(stdout).toContain('\nJWT_TOKEN_ISSUER=environment\n');
    expect(stdout).toContain('\nTANDEM_LOG_LEVEL=warn\n');
    expect(stdout).toContain('\nCOAP_TIMEOUT=5000\n');
  });

  it('is what `serve` runs on', async () => {
    const file = settingsFile('TANDEM_ADMIN_EMAIL=operator@example.org\n');
    const gateway = await GatewayProcess.start({}, undefined, ['--config', file]);
    await ServerClient.login(gateway.http, 'operator@example.org');
    expect((await gateway.stop()).code).toBe(0);
  });

  it('with names that are no settings is refused, whatever they begin with', async () => {
    const file = settingsFile('HTTP_PORT=1\nPATH_TO=2\n');
    const { problems, code } = await tandem(['serve', '--config', file]);
    expect(code).toBe(1);
    expect(problems).toEqual([
      'tandem: HTTP_PORT is not a setting; the nearest is HTTP_BIND_PORT',
      expect.stringMatching(/^tandem: PATH_TO is not a setting; the nearest is \w+$/),
    ]);
  });

  it('with a line that is no setting is refused, and the line itself is not shown', async () => {
    const file = settingsFile('TANDEM_LOG_LEVEL=warn\nTANDEM_ADMIN_PASSWORD hunter2\n');
    const { problems, code } = await tandem(['config', 'check', '--config', file]);
    expect(code).toBe(1);
    expect(problems).toEqual([`tandem: line 2 of ${file} is not NAME=value`]);
  });

  it('that is not there is named in one line, by every command', async () => {
    for (const command of [['serve'], ['config', 'check'], ['config', 'print']]) {
      const { problems, code } = await tandem([...command, '--config', '/nowhere/tandem.env']);
      expect(code).toBe(1);
      expect(problems).toEqual(['tandem: settings file /nowhere/tandem.env cannot be read: there is no such file']);
    }
  });
});

describe('tandem config', () => {
  it('check says that the settings are fine', async () => {
    expect(await tandem(['config', 'check'])).toMatchObject({
      code: 0,
      stdout: 'The settings are fine.\n',
      stderr: '',
    });
  });

  it('check warns of a name that nobody reads and that is nearly a setting', async () => {
    expect(await tandem(['config', 'check'], { HTTP_BIND_PRT: '1', HTTP_PROXY: 'x' })).toMatchObject({
      code: 0,
      stdout: 'The settings are fine.\n',
      problems: [
        'tandem: warning: HTTP_BIND_PRT in the environment is no setting, and is not read; the nearest is HTTP_BIND_PORT',
      ],
    });
  });

  it('check accepts a Redis, and with it any mix of roles', async () => {
    for (const TANDEM_ROLES of ['http', 'coap', 'api', 'http,coap']) {
      const checked = await tandem(['config', 'check'], { REDIS_URL: 'rediss://me:pw@a:1,b:2', TANDEM_ROLES });
      expect(checked).toMatchObject({ code: 0, stderr: '' });
    }
    expect((await tandem(['config', 'print'], { REDIS_URL: 'redis://:hunter2@a' })).stdout).toContain(
      '\nREDIS_URL=[redacted]\n',
    );
  });

  it('check says what is wrong, a line each', async () => {
    const { code, stdout, problems } = await tandem(['config', 'check'], { TANDEM_DEMO: 'yes', TANDEM_ROLLS: 'api' });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(problems).toEqual([
      'tandem: TANDEM_ROLLS is not a setting; the nearest is TANDEM_ROLES',
      'tandem: TANDEM_DEMO must be true or false, not "yes"',
    ]);
  });

  it('print shows every setting but no secret', async () => {
    const { code, stdout, stderr } = await tandem(['config', 'print'], {
      TANDEM_ADMIN_PASSWORD: 'hunter2',
      TANDEM_RPC_WEBHOOK_URL: 'http://user:hunter3@example.org/',
    });
    expect(code).toBe(0);
    expect(stdout).toContain('\nTANDEM_ADMIN_PASSWORD=[redacted]\n');
    expect(stdout).toContain('\nHTTP_BIND_PORT=8080\n');
    expect(stdout + stderr).not.toMatch(/hunter/);
  });

  it('print and check never show a secret that is wrong', async () => {
    for (const command of ['print', 'check']) {
      const { code, stdout, stderr } = await tandem(['config', command], {
        REDIS_URL: 'http://:hunter2@example.org/',
        TANDEM_RPC_WEBHOOK_URL: 'ftp://user:hunter3@example.org/',
      });
      expect(code).toBe(1);
      expect(stderr).toContain('REDIS_URL must be redis://host:port or rediss://host:port');
      expect(stderr).toContain('TANDEM_RPC_WEBHOOK_URL must be an http or https URL');
      expect(stdout + stderr).not.toMatch(/hunter/);
    }
  });

  it('docs prints a row for each setting', async () => {
    const { code, stdout } = await tandem(['config', 'docs']);
    expect(code).toBe(0);
    const printed = (await tandem(['config', 'print'])).stdout.trimEnd().split('\n');
    const rows = stdout.trimEnd().split('\n').slice(2);
    expect(rows.map((row) => /^\| `(\w+)` \|/.exec(row)?.[1])).toEqual(printed.map((line) => line.split('=')[0]));
  });
});

describe('tandem', () => {
  it('prints its version', async () => {
    for (const command of ['version', '--version']) {
      expect(await tandem([command])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
    }
  });

  it('prints what it can do', async () => {
    const { code, stdout } = await tandem(['--help']);
    expect(code).toBe(0);
    for (const command of ['serve', 'config', 'version']) expect(stdout).toContain(command);
  });

  it('refuses a command it does not know', async () => {
    expect(await tandem(['server'])).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown command') });
  });
});
