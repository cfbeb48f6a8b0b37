import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_EMAIL, ADMIN_PASSWORD, cleanUp, GatewayProcess } from './support/gateway-process';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('The first start', () => {
  it('makes an administrator whose password stands in a file that only its owner can read', async () => {
    const gateway = await GatewayProcess.start({ TANDEM_ADMIN_PASSWORD: '' });
    const file = join(gateway.folder, 'initial-admin-password');
    const password = readFileSync(file, 'utf8').trimEnd();
    expect(password).toMatch(/^[A-Za-z0-9]{24}$/);
    expect(modeOf(file)).toBe('600');
    expect(modeOf(gateway.folder)).toBe('700');
    await ServerClient.login(gateway.http, ADMIN_EMAIL, password);
    expect(gateway.stdout).toContain(file);
    expect(gateway.stdout).toContain(ADMIN_EMAIL);
    expect(gateway.stdout).not.toContain(password);
    await gateway.stop();

    const again = await gateway.again({ TANDEM_ADMIN_PASSWORD: '' });
    expect(readFileSync(file, 'utf8').trimEnd()).toBe(password);
    await ServerClient.login(again.http, ADMIN_EMAIL, password);
    expect(again.stdout).not.toContain(file);
    await again.stop();
  });

  it('takes address and password from the settings, and then writes no file', async () => {
    const gateway = await GatewayProcess.start({
      TANDEM_ADMIN_EMAIL: 'Op@Example.org',
      TANDEM_ADMIN_PASSWORD: 'given',
    });
    await ServerClient.login(gateway.http, 'op@example.org', 'given');
    await expect(ServerClient.login(gateway.http, ADMIN_EMAIL, 'given')).rejects.toThrow('401');
    expect(() => statSync(join(gateway.folder, 'initial-admin-password'))).toThrow('ENOENT');
    expect(gateway.stdout).not.toContain('given');
    await gateway.stop();
  });
});

describe('TANDEM_DEMO', () => {
  const expectDemo = async (gateway: GatewayProcess) => {
    await ServerClient.login(gateway.http, 'tenant@thingsboard.org', 'tenant');
    await ServerClient.login(gateway.http, 'sysadmin@thingsboard.org', 'sysadmin');
    const warning = gateway.log.find(({ level }) => level === 'warn');
    expect(warning?.message).toMatch(/^INSECURE: TANDEM_DEMO=true/);
    await gateway.stop();
  };

  it('makes both well-known logins and says loudly that this is insecure', async () => {
    await expectDemo(await GatewayProcess.start({ TANDEM_DEMO: 'true' }));
  });

  it('does so also on a folder that was started without it', async () => {
    const gateway = await GatewayProcess.start();
    await ServerClient.login(gateway.http, ADMIN_EMAIL, ADMIN_PASSWORD);
    await expect(ServerClient.login(gateway.http, ADMIN_EMAIL, 'tenant')).rejects.toThrow('401');
    await expect(ServerClient.login(gateway.http, 'sysadmin@thingsboard.org', 'sysadmin')).rejects.toThrow('401');
    await gateway.stop();
    await expectDemo(await gateway.again({ TANDEM_DEMO: 'true' }));
  });
});
