import type { Browser } from 'playwright-core';
import { freeTcpPort } from '../support/free-port';
import { cleanUp, GatewayProcess } from '../support/gateway-process';
import { HttpDevice } from '../support/http-device';
import { ServerClient } from '../support/server-client';
import { ConsolePage, openBrowser } from './console-page';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await cleanUp();
});

it('A gateway that stops is told as offline; when it is back the page is live again, with what came meanwhile', async () => {
  const port = await freeTcpPort();
  const settings = { HTTP_BIND_PORT: String(port) };
  const first = await GatewayProcess.start(settings);
  const id = await (await ServerClient.login(port)).createDevice('offline-token-1', 'Seen again');
  const device = new HttpDevice(port, 'offline-token-1');
  await device.post('telemetry', '{"level":1}');
  const console = await ConsolePage.loggedIn(browser, port);
  await console.showDevice(id);
  const level = console.part('Telemetry').locator('tr[data-key="level"]');
  await console.reads(level, '1');
  const state = console.page.locator('.live-state');
  await console.reads(state, /^live$/);
  await first.stop();
  await console.reads(state, /^offline, reconnecting in \d+ s$/);
  await console.screenshot('offline');
  const second = await first.again(settings);
  await device.post('telemetry', '{"level":2}');
  const now = console.page.getByRole('button', { name: 'Reconnect now' });
  if (await now.isVisible()) await now.click({ timeout: 1000 }).catch(() => {});
  await console.reads(state, /^live$/);
  await console.reads(level, '2');
  await console.show('#/live');
  await console.reads(console.page.locator('.empty'), 'Nobody waits.');
  await second.stop();
  await console.reads(console.page.locator('.waiters'), 'The gateway cannot be reached.');
  expect(await console.page.getByText('Nobody waits.').count()).toBe(0);
  await console.reads(state, /^offline, reconnecting in \d+ s$/);
  expect(console.complaints).toEqual([]);
  await console.close();
});

it('A system administrator is told what the page is for, and sees the tenants', async () => {
  const gateway = await GatewayProcess.start({
    TANDEM_DEMO: 'true',
    TANDEM_ADMIN_EMAIL: '',
    TANDEM_ADMIN_PASSWORD: '',
  });
  const console = await ConsolePage.open(browser, gateway.http);
  await console.logIn('sysadmin@thingsboard.org', 'sysadmin');
  await console.page.getByRole('heading', { name: 'Tenants' }).waitFor();
  await console.reads(
    console.page.locator('main'),
    'Devices belong to tenants: log in as an administrator of a tenant',
  );
  await console.reads(console.page.locator('main'), '1 tenant');
  expect(await console.overflow()).toBe(0);
  expect(console.complaints).toEqual([]);
  await console.close();
  await gateway.stop();
});
