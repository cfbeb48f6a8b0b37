import type { Browser } from 'playwright-core';
import { CoapDevice } from '../support/coap-device';
import { freeUdpPort } from '../support/free-port';
import { cleanUp, GatewayProcess, temporaryFolder } from '../support/gateway-process';
import { HttpDevice } from '../support/http-device';
import { ServerClient } from '../support/server-client';
import { ShellLine } from '../support/shell-line';
import { ConsolePage, openBrowser } from './console-page';

let gateway: GatewayProcess;
let server: ServerClient;
let browser: Browser;
let folder: string;
const pages: ConsolePage[] = [];
const shells: ShellLine[] = [];
let devices = 0;

beforeAll(async () => {
  folder = temporaryFolder();
  // A port that is known before: the lines for a shell name that of the settings.
  const COAP_BIND_PORT = String(await freeUdpPort());
  [gateway, browser] = await Promise.all([GatewayProcess.start({ COAP_BIND_PORT }), openBrowser()]);
  server = await ServerClient.login(gateway.http);
});
afterAll(async () => {
  await browser?.close();
  await cleanUp();
});

/** Whatever a test did: the browser refused nothing and nothing was thrown. */
afterEach(async () => {
  await Promise.all(shells.splice(0).map((shell) => shell.kill()));
  const shown = pages.splice(0);
  await Promise.all(shown.map((page) => page.close()));
  expect(shown.flatMap(({ complaints }) => complaints)).toEqual([]);
});

async function open(looks: Parameters<typeof ConsolePage.open>[2] = {}): Promise<ConsolePage> {
  const page = await ConsolePage.open(browser, gateway.http, looks);
  pages.push(page);
  return page;
}

async function loggedIn(looks: Parameters<typeof ConsolePage.open>[2] = {}): Promise<ConsolePage> {
  const page = await open(looks);
  await page.logIn();
  return page;
}

async function newDevice(name?: string): Promise<{ id: string; token: string; name: string }> {
  const token = `console-token-${++devices}`;
  const given = name ?? `Device ${devices} of the console`;
  return { id: await server.createDevice(token, given), token, name: given };
}

function run(line: string): ShellLine {
  const shell = new ShellLine(line, folder);
  shells.push(shell);
  return shell;
}

const json = async (method: string, path: string, body?: object) => {
  const { status, text } = await server.send(method, path, body);
  expect([method, path, status]).toEqual([method, path, 200]);
  return text === '' ? undefined : JSON.parse(text);
};

describe('Logging in', () => {
  it('a wrong password is refused in the words of the server, the right one opens the devices', async () => {
    const console = await open();
    const { page } = console;
    expect(await page.title()).toBe('Log in · Tandem');
    await page.getByLabel('E-mail').fill('tenant@thingsboard.org');
    await page.getByLabel('Password').fill('not-the-password');
    await page.keyboard.press('Enter');
    await console.reads(page.getByRole('status'), 'Invalid username or password');
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    await console.logIn();
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    expect(await page.title()).toBe('Devices · Tandem');
  });

  it('a reload keeps the login, logging out ends it at the gateway, too', async () => {
    const console = await loggedIn();
    await console.page.reload();
    await console.page.getByRole('heading', { name: 'Devices' }).waitFor();
    const kept = JSON.parse(await console.page.evaluate('sessionStorage.getItem("tandem.session")'));
    await console.page.getByRole('button', { name: 'Log out' }).click();
    await console.page.getByLabel('Password').waitFor();
    expect(await console.page.evaluate('sessionStorage.length')).toBe(0);
    const answer = await fetch(`http://127.0.0.1:${gateway.http}/api/auth/user`, {
      headers: { 'X-Authorization': `Bearer ${kept.token}` },
    });
    expect(answer.status).toBe(401);
  });

  it('a session that ended elsewhere leads to the login, which says so, and then back to where one was', async () => {
    const { id, name } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    const { token } = JSON.parse(await console.page.evaluate('sessionStorage.getItem("tandem.session")'));
    await fetch(`http://127.0.0.1:${gateway.http}/api/auth/logout`, {
      method: 'POST',
      headers: { 'X-Authorization': `Bearer ${token}` },
    });
    await console.reads(console.page.getByRole('status'), 'Your session has ended. Log in again.');
    await console.logIn();
    await console.page.getByRole('heading', { name }).waitFor();
  });

  it('an access token that is over is replaced without a word', async () => {
    const console = await loggedIn();
    const spoil = `(() => {
      const kept = JSON.parse(sessionStorage.getItem('tandem.session'));
      sessionStorage.setItem('tandem.session', JSON.stringify({ ...kept, token: kept.token + 'x' }));
    })()`;
    await console.page.evaluate(spoil);
    await console.page.reload();
    await console.page.getByRole('heading', { name: 'Devices' }).waitFor();
    await console.reads(console.page.getByRole('status'), /^live$/);
  });
});

describe('Devices', () => {
  it('a new one opens its page, which has the lines to send its first values; they appear without a reload', async () => {
    const console = await loggedIn();
    const { page } = console;
    await page.getByRole('button', { name: 'New device' }).click();
    await page.getByLabel('Name').fill('Made in the browser');
    await page.getByLabel('Access token').fill('made-in-the-browser');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Made in the browser' }).waitFor();
    await console.reads(console.part('Telemetry'), 'No telemetry yet');
    await console.reads(page.locator('.state'), 'inactive');
    const line = console.part('Connect').locator('[data-protocol="http"] pre').first();
    const command = (await line.textContent()) ?? '';
    expect(command).toMatch(/^curl .*made-in-the-browser/);
    expect(await run(command).exit).toBe(0);
    await console.reads(console.part('Telemetry').locator('tr[data-key="temperature"]'), '25');
    await console
      .part('Telemetry')
      .getByRole('img', { name: /^temperature: 1 value .* last 25\./ })
      .waitFor();
    await console.reads(page.locator('.state'), /^active$/);
  });

  it('a name that is taken is refused in the words of the server', async () => {
    const { name } = await newDevice();
    const console = await loggedIn();
    await console.page.getByRole('button', { name: 'New device' }).click();
    await console.page.getByLabel('Name').fill(name);
    await console.page.getByRole('button', { name: 'Create' }).click();
    await console.reads(console.page.getByRole('status'), 'Device with such name already exists!');
  });

  it('are found by name and state, by page, and the address remembers it', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, index) => newDevice(`Paged ${String(index).padStart(2, '0')}`)));
    const console = await loggedIn();
    const { page } = console;
    await page.getByLabel('Search').fill('paged');
    await page.getByLabel('Order').selectOption('By name');
    await console.reads(page.getByRole('status'), '30 devices found');
    await console.reads(page.locator('tbody tr').first(), 'Paged 00');
    await page.getByRole('button', { name: 'Next' }).click();
    await console.reads(page.locator('tbody tr').first(), 'Paged 25');
    expect(await console.focused()).toBe('Devices');
    expect(page.url()).toMatch(/#\/devices\?search=paged&order=name&page=2$/);
    await page.getByRole('link', { name: 'Paged 27' }).click();
    await page.getByRole('heading', { name: 'Paged 27' }).waitFor();
    await page.goBack();
    await console.reads(page.locator('tbody tr').first(), 'Paged 25');
    await page.getByLabel('State').selectOption('Active');
    await console.reads(page.locator('.empty'), 'No device fits');
  });

  it('show in the list that they become active', async () => {
    const { token, name } = await newDevice();
    const console = await loggedIn();
    const row = console.page.getByRole('row', { name });
    await console.reads(row, 'inactive');
    await new HttpDevice(gateway.http, token).post('telemetry', '{"a":1}');
    await console.reads(row.locator('.state'), /^active$/);
    await console.reads(row, /\d+ s ago/);
  });

  it('can be deleted, after a second thought', async () => {
    const { id, name } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    await console.page.getByRole('button', { name: 'Delete the device' }).click();
    expect(await console.focused()).toBe('Keep it');
    const sure = console.page.getByRole('button', { name: `Delete ${name} for good` });
    await sure.hover();
    // Whatever the pointer is on: what is written there can be read.
    await console.page.locator('dialog .danger:enabled:hover').waitFor();
    const [text = '', ground = '']: string[] = await console.page.evaluate(`(() => {
      const { color, backgroundColor } = getComputedStyle(document.querySelector('dialog .danger'));
      const hex = (part) => Number(part).toString(16).padStart(2, '0');
      return [color, backgroundColor].map((rgb) => '#' + rgb.match(/\\d+/g).slice(0, 3).map(hex).join(''));
    })()`);
    expect(contrast(text, ground)).toBeGreaterThan(4.5);
    await sure.click();
    await console.page.getByRole('heading', { name: 'Devices' }).waitFor();
    expect((await server.send('GET', `/api/device/${id}`)).status).toBe(404);
  });

  it('are not deleted by a double click, wherever it falls', async () => {
    const { id, name } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    const { page } = console;
    await page.getByRole('button', { name: 'Delete the device' }).dblclick();
    const sure = page.getByRole('button', { name: `Delete ${name} for good` });
    await sure.waitFor();
    await page.getByRole('button', { name: 'Keep it' }).click();
    // The worst place for the pointer: where the button comes up.
    await page.evaluate(`document.querySelector('dialog').addEventListener('toggle', (event) => {
      if (event.newState === 'open') document.querySelector('dialog .danger').click();
    })`);
    await page.getByRole('button', { name: 'Delete the device' }).click();
    await sure.waitFor();
    await page.keyboard.press('Escape');
    await sure.waitFor({ state: 'hidden' });
    expect((await server.send('GET', `/api/device/${id}`)).status).toBe(200);
  });
});

describe('Telemetry', () => {
  it('is drawn as it comes in, over HTTP and over CoAP, after what was there', async () => {
    const { id, token } = await newDevice();
    const device = new HttpDevice(gateway.http, token);
    const now = Date.now();
    const past = [3, 2, 1].map((ago) => ({ ts: now - ago * 20_000, values: { level: 10 + ago, door: 'shut' } }));
    await device.post('telemetry', JSON.stringify(past));
    const console = await loggedIn();
    await console.showDevice(id);
    const part = console.part('Telemetry');
    await part.getByRole('img', { name: /^level: 3 values from 11 to 13, last 11\./ }).waitFor();
    const coap = await CoapDevice.open(gateway.coap, token);
    await coap.post('telemetry', '{"level":42.0}');
    coap.close();
    await part.getByRole('img', { name: /^level: 4 values from 11 to 42, last 42\./ }).waitFor();
    await console.reads(part.locator('tr[data-key="level"] .value'), /^42\.0$/);
    await console.reads(part.locator('tr[data-key="door"]'), 'shut');
    expect(await part.getByLabel('Chart of door').isDisabled()).toBe(true);
    await part.getByRole('img').focus();
    await console.page.keyboard.press('ArrowLeft');
    await console.page.keyboard.press('ArrowLeft');
    await console.reads(part.locator('.reading'), /:\d\d 11$/);
    await part.getByLabel('Time shown').selectOption('Week');
    await part.getByRole('img', { name: /^level: \d values? from/ }).waitFor();
    await part.getByLabel('Chart of level').uncheck();
    await part.getByRole('img').waitFor({ state: 'detached' });
  });
});

describe('A device that was silent', () => {
  it('is drawn over as much time as shows its last value', async () => {
    const { id, token } = await newDevice();
    const ts = Date.now() - 5 * 3_600_000;
    await new HttpDevice(gateway.http, token).post('telemetry', `{"ts":${ts},"values":{"level":42.0}}`);
    const console = await loggedIn();
    await console.showDevice(id);
    const part = console.part('Telemetry');
    await part.getByRole('img', { name: /^level: 1 value/ }).waitFor();
    await part.getByLabel('Time shown').selectOption('Hour');
    await part.getByRole('img', { name: 'level: No values in this time; the last one is 5 h old' }).waitFor();
    await console.reads(part.locator('.reading'), /^42\.0$/);
  });
});

describe('What is too long', () => {
  it('hides nothing else: a huge value is named, the others are shown and stay live', async () => {
    const { id, token } = await newDevice();
    const device = new HttpDevice(gateway.http, token);
    // Each is accepted by itself; together they are more than one message of the WebSocket takes.
    const huge = 'A'.repeat(3_000_000);
    await device.post('telemetry', '{"level":1}');
    const console = await loggedIn();
    await console.showDevice(id);
    const part = console.part('Telemetry');
    await console.reads(part.locator('tr[data-key="level"] .value'), '1');
    await device.post('telemetry', JSON.stringify({ mega: huge, door: 'shut' }));
    await device.post('telemetry', JSON.stringify({ mega2: huge }));
    await device.post('attributes', JSON.stringify({ mega: huge, serial: 'A-17' }));
    await device.post('attributes', JSON.stringify({ mega2: huge }));
    await console.reads(part.locator('tr[data-key="mega"] .value'), 'too long to show (3.0 MB)');
    await console.reads(part.locator('tr[data-key="door"] .value'), 'shut');
    await console.reads(console.scope('CLIENT').locator('tr[data-key="serial"]'), 'A-17');
    await console.reads(console.scope('CLIENT'), 'Too long to show: mega, mega2');
    await device.post('telemetry', '{"level":2,"later":3}');
    await console.reads(part.locator('tr[data-key="level"] .value'), '2');
    await console.reads(part.locator('tr[data-key="later"] .value'), '3');
    await console.page.reload();
    await console.reads(part.locator('tr[data-key="level"] .value'), '2');
    await console.reads(part.locator('tr[data-key="mega2"] .value'), 'too long to show');
    expect(await part.getByText('No telemetry yet').isVisible()).toBe(false);
    expect(await console.page.locator('.notice.bad').count()).toBe(0);
    await device.post('telemetry', '{"mega":"small again"}');
    await console.reads(part.locator('tr[data-key="mega"] .value'), 'small again');
  });

  it('is cut, and shown when somebody wants it', async () => {
    const { id, token } = await newDevice();
    await new HttpDevice(gateway.http, token).post(
      'telemetry',
      JSON.stringify({ log: `${'word '.repeat(20_000)}end` }),
    );
    const console = await loggedIn();
    await console.showDevice(id);
    const value = console.part('Telemetry').locator('tr[data-key="log"] .value');
    await value.getByRole('button', { name: 'Show all (100 kB)' }).waitFor();
    expect((await value.textContent())?.length).toBeLessThan(300);
    await value.getByRole('button').click();
    await console.reads(value, 'end');
  });

  it('marks that turn the direction of a text are shown by their numbers', async () => {
    const { id, token } = await newDevice('Lamp \u202egnp.exe');
    await new HttpDevice(gateway.http, token).post('telemetry', '{"note":"a\u2066b"}');
    const console = await loggedIn();
    await console.showDevice(id);
    await console.page.getByRole('heading', { name: 'Lamp \\u202egnp.exe' }).waitFor();
    await console.reads(console.part('Telemetry').locator('tr[data-key="note"] .value'), 'a\\u2066b');
  });
});

describe('What is not there', () => {
  it('is not told as empty before the first answer', async () => {
    const { id, name, token } = await newDevice();
    await new HttpDevice(gateway.http, token).post('telemetry', '{"level":1}');
    const console = await loggedIn();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await console.page.route(/\/values\/attributes\//, async (route) => {
      await held;
      await route.continue();
    });
    await console.showDevice(id);
    await console.page.getByRole('heading', { name }).waitFor();
    await console.reads(console.scope('SHARED'), 'Reading …');
    release();
    await console.reads(console.scope('SHARED'), 'Nothing is shared yet');
  });

  it('a device that is deleted elsewhere leaves no forms and no token behind', async () => {
    const { id, name, token } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    await console.reads(console.part('Connect'), token);
    await json('DELETE', `/api/device/${id}`);
    await console.reads(console.page.getByRole('alert'), 'This device is not here any more');
    expect(await console.page.getByRole('alert').count()).toBe(1);
    expect(await console.page.locator('main form, main input, main pre').count()).toBe(0);
    expect(await console.focused()).toBe(name);
  });
});

describe('Attributes', () => {
  it('a shared one that is edited reaches a coap-client that observes', async () => {
    const { id } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    const line = console.part('Connect').locator('[data-protocol="coap"] .copy', { hasText: 'updates of shared' });
    const client = run((await line.locator('pre').textContent()) ?? '');
    await client.printed('{}');
    const shared = console.scope('SHARED');
    await shared.getByPlaceholder('key').fill('target');
    await shared.getByPlaceholder('value').fill('21.50');
    await shared.getByRole('button', { name: 'Save' }).click();
    await client.printed('{"target":21.5');
    await console.reads(shared.locator('tr[data-key="target"]'), '21.5');
    await shared.getByRole('button', { name: 'Edit target' }).click();
    expect(await shared.getByLabel('Type of the value').inputValue()).toBe('number');
    await shared.getByPlaceholder('value').fill('9007199254740993');
    await console.page.keyboard.press('Enter');
    await client.printed('{"target":9007199254740993}');
    await console.reads(shared.locator('tr[data-key="target"] .value'), /^9007199254740993$/);
    await shared.getByRole('button', { name: 'Delete target' }).click();
    await client.printed('{"deleted":["target"]}');
    await console.reads(shared, 'Nothing is shared yet');
  });

  it('keep the type that was chosen, and refuse what is not of it', async () => {
    const { id } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    const part = console.scope('SERVER');
    const save = async (key: string, value: string, type?: string) => {
      await part.getByPlaceholder('key').fill(key);
      if (type) await part.getByLabel('Type of the value').selectOption(type);
      await part.getByPlaceholder('value').fill(value);
      await part.getByRole('button', { name: 'Save' }).click();
    };
    await save('code', 'true', 'Text');
    await console.reads(part.getByRole('status'), 'code is saved.');
    await save('on', 'true');
    await console.reads(part.getByRole('status'), 'on is saved.');
    await save('plan', '{"from":6}');
    await console.reads(part.getByRole('status'), 'plan is saved.');
    await save('level', 'high', 'Number');
    await console.reads(part.getByRole('status'), 'high is not a number.');
    const path = `/api/plugins/telemetry/DEVICE/${id}/values/attributes/SERVER_SCOPE?keys=code,on,plan,level`;
    const found: Array<{ key: string; value: unknown }> = await json('GET', path);
    expect(Object.fromEntries(found.map(({ key, value }) => [key, value]))).toEqual({
      code: 'true',
      on: true,
      plan: { from: 6 },
    });
  });

  it('of the client are shown as the device writes them', async () => {
    const { id, token } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    await console.reads(console.scope('CLIENT'), 'The device writes these itself');
    await new HttpDevice(gateway.http, token).post('attributes', '{"serial":"A-17"}');
    await console.reads(console.scope('CLIENT').locator('tr[data-key="serial"] .value'), 'A-17');
    expect(await console.scope('CLIENT').getByRole('button').count()).toBe(0);
  });
});

describe('Commands', () => {
  it('a two-way one is answered by a device over CoAP, a one-way one delivered', async () => {
    const { id, token } = await newDevice();
    const device = await CoapDevice.open(gateway.coap, token);
    const commands = device.observe('rpc');
    await commands.next();
    const console = await loggedIn();
    await console.showDevice(id);
    const terminal = console.page.getByRole('log');
    const line = console.page.getByLabel('Command: method');
    await line.fill('setLed {"on":true,"big":9007199254740993}');
    await line.press('Enter');
    const { text } = await commands.next();
    const command = JSON.parse(text);
    expect(text).toContain('"params":{"on":true,"big":9007199254740993}');
    await device.post(`rpc/${command.id}`, '{"led":"on"}');
    await console.reads(terminal.locator('.answer'), '{"led":"on"}');
    await line.press('ArrowUp');
    expect(await line.inputValue()).toBe('setLed {"on":true,"big":9007199254740993}');
    await line.fill('blink');
    await console.page.getByLabel('Way').selectOption('One-way');
    await line.press('Enter');
    expect(JSON.parse((await commands.next()).text)).toMatchObject({ method: 'blink', params: {} });
    await console.reads(terminal.locator('.answer'), 'delivered');
    await console.reads(console.part('Waiting now'), 'coap');
    device.close();
  });

  it('says why there is no answer, and what is wrong with a line', async () => {
    const { id } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    const line = console.page.getByLabel('Command: method');
    await line.fill('setLed {on}');
    await line.press('Enter');
    await console.reads(console.part('Commands').getByRole('status'), 'The parameters are not JSON: {on}');
    await console.page.getByLabel('Seconds to live').fill('1');
    await line.fill('setLed');
    await line.press('Enter');
    await console.reads(console.page.getByRole('log'), 'no answer within 1 s, or the device is not connected');
  });

  it('a persistent one waits for the device, and its list shows how it went', async () => {
    const { id, token } = await newDevice();
    const console = await loggedIn();
    await console.showDevice(id);
    await console.page.getByLabel('Way').selectOption('Persistent');
    await console.page.getByLabel('Seconds to live').fill('600');
    const line = console.page.getByLabel('Command: method');
    await line.fill('reboot {"delay":5}');
    await line.press('Enter');
    const row = console.page.getByRole('row', { name: 'reboot' });
    await console.reads(row, 'queued');
    const device = new HttpDevice(gateway.http, token);
    const command = JSON.parse((await device.poll('rpc')).text);
    await device.post(`rpc/${command.id}`, '{"n":9223372036854775807,"d":42.0}');
    await console.reads(row, 'successful');
    await console.reads(row, '{"n":9223372036854775807,"d":42.0}');
    await row.getByRole('button', { name: 'Delete reboot' }).click();
    await console.reads(console.part('Commands'), 'None. A persistent command waits');
  });
});

describe('Connect', () => {
  it('every line works in a shell as it stands', async () => {
    const { id } = await newDevice();
    await server.share(id, { mode: 'eco' });
    const console = await loggedIn();
    await console.showDevice(id);
    const lines = console.part('Connect').locator('.lines .copy');
    await lines.first().waitFor();
    const shown = await Promise.all(
      (await lines.all()).map(async (line) => ({
        title: (await line.locator('.what').textContent()) ?? '',
        command: (await line.locator('pre').textContent()) ?? '',
      })),
    );
    expect(shown.filter(({ command }) => command.startsWith('curl')).length).toBeGreaterThan(3);
    expect(shown.filter(({ command }) => command.startsWith('coap-client')).length).toBeGreaterThan(3);
    for (const { title, command } of shown.filter((one) => !one.title.startsWith('Wait'))) {
      expect([title, await run(command).exit]).toEqual([title, 0]);
    }
    await console.reads(console.part('Telemetry').locator('tr[data-key="temperature"]'), '25');
    await console.reads(console.scope('CLIENT').locator('tr[data-key="serial"]'), 'A-17');
  });

  it('a line is copied by a button', async () => {
    const { id } = await newDevice();
    const console = await loggedIn();
    await console.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await console.showDevice(id);
    const line = console.part('Connect').locator('.lines .copy').first();
    await line.getByRole('button').click();
    await console.reads(console.part('Connect').getByRole('status'), 'Copied: Send telemetry');
    expect(await console.page.evaluate('navigator.clipboard.readText()')).toBe(await line.locator('pre').textContent());
  });
});

describe('Who waits', () => {
  it('an observation and a poll are listed while they are open, with the way to their device', async () => {
    const observed = await newDevice();
    const polling = await newDevice();
    const console = await loggedIn();
    await console.show('#/live');
    run(`coap-client-notls -m get -s 60 coap://127.0.0.1:${gateway.coap}/api/v1/${observed.token}/attributes`);
    const poll = run(`curl -s 'http://127.0.0.1:${gateway.http}/api/v1/${polling.token}/rpc?timeout=60000'`);
    await console.reads(console.page.getByRole('row', { name: observed.name }), /coap.*attributes/);
    await console.reads(console.page.getByRole('row', { name: polling.name }), /http.*commands/);
    await console.reads(console.page.locator('main'), /\d+ polls?, \d+ observations? at 1 process/);
    await server.command('oneway', polling.id, { method: 'go', params: {}, timeout: 10_000 });
    expect(await poll.exit).toBe(0);
    await console.page.getByRole('row', { name: polling.name }).waitFor({ state: 'detached' });
    await console.page.getByRole('link', { name: observed.name }).click();
    await console.reads(console.part('Waiting now'), /coap.*attributes/);
  });
});

describe('Claim and firmware', () => {
  it('the page shows that a device can be claimed, and by whom it was', async () => {
    const { id, token, name } = await newDevice();
    const customer = await json('POST', '/api/customer', { title: 'Household' });
    const made = { authority: 'CUSTOMER_USER', customerId: customer.id, email: 'household@example.com' };
    const user = await json('POST', '/api/user?sendActivationMail=false', made);
    const link = await server.send('GET', `/api/user/${user.id.id}/activationLink`);
    const activateToken = new URL(link.text).searchParams.get('activateToken');
    const password = 'Household-Pass-1';
    await json('POST', '/api/noauth/activate', { activateToken, password });

    const administrator = await loggedIn();
    await administrator.showDevice(id);
    const claim = administrator.part('Claim');
    await administrator.reads(claim, 'Belongs to nobody, and cannot be claimed now');
    await new HttpDevice(gateway.http, token).post('claim', '{"secretKey":"on-the-label","durationMs":600000}');
    await administrator.reads(claim, /Can be claimed until 20\d\d-/);

    const owner = await open();
    await owner.logIn('household@example.com', password);
    await owner.reads(owner.page.locator('.empty'), 'No devices yet: claim one');
    await owner.page.getByRole('button', { name: 'Claim a device' }).click();
    await owner.page.getByLabel('Name of the device').fill(name);
    await owner.page.getByLabel('Secret key').fill('not-the-label');
    await owner.page.keyboard.press('Enter');
    await owner.reads(owner.page.getByRole('status'), 'The key is not right');
    await new HttpDevice(gateway.http, token).post('claim', '{"secretKey":"on-the-label","durationMs":600000}');
    await owner.page.getByLabel('Secret key').fill('on-the-label');
    await owner.page.keyboard.press('Enter');
    await owner.page.getByRole('heading', { name }).waitFor();
    expect(await owner.page.getByRole('button', { name: 'Delete the device' }).count()).toBe(0);
    await administrator.reads(claim, 'Belongs to Household.');
    await owner.page.getByRole('button', { name: 'Give it back' }).click();
    await owner.reads(owner.page.locator('.empty'), 'No devices yet');
    await administrator.reads(claim, 'Belongs to nobody');
  });

  it('the page shows which firmware is assigned, and how far the device is', async () => {
    const { id, token } = await newDevice();
    const profile = await json('GET', `/api/device/${id}`);
    const info = { deviceProfileId: profile.deviceProfileId, type: 'FIRMWARE', title: 'Thermo', version: '2.0' };
    const firmware = await json('POST', '/api/otaPackage', { ...info, usesUrl: true, url: 'http://example.org/fw' });
    const device = new HttpDevice(gateway.http, token);
    await device.post('telemetry', '{"current_fw_title":"Thermo","current_fw_version":"1.9"}');
    await json('POST', '/api/device', { ...profile, firmwareId: firmware.id });
    const console = await loggedIn();
    await console.showDevice(id);
    const part = console.part('Firmware').locator('[data-kind="fw"]');
    await console.reads(part, /Assigned\s*Thermo 2\.0/);
    await console.reads(part, /Told to install\s*Thermo 2\.0/);
    await console.reads(part, /Runs\s*Thermo 1\.9/);
    await device.post('telemetry', '{"fw_state":"DOWNLOADING"}');
    await console.reads(part, /State\s*DOWNLOADING/);
    await console.reads(console.part('Firmware').locator('[data-kind="sw"]'), /Assigned\s*none/);
  });
});

describe('What others say is text', () => {
  it('names, values, attributes and answers with markup run nothing', async () => {
    const attack = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    const { id, token } = await newDevice(attack);
    await json('POST', '/api/device', { ...(await json('GET', `/api/device/${id}`)), label: attack });
    await server.share(id, { motto: attack });
    const device = await CoapDevice.open(gateway.coap, token);
    const key = 'it\'s "quoted"] [data-key="';
    expect((await device.post('telemetry', JSON.stringify({ [key]: attack, after: 1 }))).code).toBe('2.01');
    const commands = device.observe('rpc');
    await commands.next();
    const console = await loggedIn();
    await console.page.getByRole('link', { name: attack }).click();
    await console.page.getByRole('heading', { name: attack }).waitFor();
    await console.reads(console.part('Telemetry').locator('td.value'), attack);
    await console.part('Telemetry').getByText(key, { exact: true }).waitFor();
    await console.reads(console.scope('SHARED').locator('td.value'), attack);
    await console.page.getByLabel('Command: method').fill(`ask ${JSON.stringify(attack)}`);
    await console.page.keyboard.press('Enter');
    const { id: number } = JSON.parse((await commands.next()).text);
    await device.post(`rpc/${number}`, JSON.stringify({ said: attack }));
    await console.reads(console.page.getByRole('log').locator('.answer'), '<img src=x');
    await console.show('#/live');
    await console.page.getByRole('link', { name: attack }).waitFor();
    expect(await console.page.evaluate('document.querySelectorAll("[onerror], body script, main img").length')).toBe(0);
    expect(await console.page.title()).toBe('Live · Tandem');
    device.close();
  });

  it('the browser itself refuses markup, scripts and styles in the page', async () => {
    const console = await loggedIn();
    const refused = await console.page.evaluate(`(() => {
      const attempts = {
        markup: () => { document.body.innerHTML = '<p>'; },
        script: () => { document.head.append(Object.assign(document.createElement('script'), { text: 'window.ran = 1' })); },
        style: () => {
          const style = document.createElement('style');
          style.textContent = 'body { opacity: 0.5 }';
          document.head.append(style);
          if (getComputedStyle(document.body).opacity === '1') throw new TypeError('no effect');
        },
      };
      return Object.entries(attempts).map(([name, attempt]) => {
        try { attempt(); return name + ' worked'; } catch (error) { return name + ': ' + error.name; }
      });
    })()`);
    expect(refused).toEqual(['markup: TypeError', 'script: TypeError', 'style: TypeError']);
    const complaints = () => console.complaints.join();
    await console.page.waitForFunction('true');
    expect(complaints()).toContain('require-trusted-types-for');
    expect(complaints()).toContain('style-src-elem inline');
    console.complaints.splice(0);
  });
});

describe('The page of the server API', () => {
  it('keeps to the same policy: it lists the calls, and tries one', async () => {
    const console = await open();
    await console.page.goto(`http://127.0.0.1:${gateway.http}/openapi/`);
    await console.page.getByLabel('E-mail').fill('tenant@thingsboard.org');
    await console.page.getByLabel('Password').fill('Correct-Horse-7');
    await console.page.getByRole('button', { name: 'Log in' }).click();
    await console.reads(console.page.locator('#session'), 'Logged in as');
    const call = console.page.locator('details', { hasText: '/api/auth/user' }).first();
    await call.locator('summary').click();
    await call.getByRole('button', { name: 'Send' }).click();
    await console.reads(call.locator('pre'), /^200\s+\{"id"/);
  });
});

describe('Without a mouse', () => {
  it('one logs in, finds a device, opens it and sends it a command', async () => {
    const { token, name } = await newDevice('Found by keys');
    const device = await CoapDevice.open(gateway.coap, token);
    const commands = device.observe('rpc');
    await commands.next();
    const console = await open();
    const { keyboard } = console.page;
    await console.page.getByLabel('E-mail').waitFor();
    expect(await console.focused()).toBe('E-mail');
    await keyboard.type('tenant@thingsboard.org');
    await keyboard.press('Tab');
    await keyboard.type('Correct-Horse-7');
    await keyboard.press('Enter');
    await console.page.getByRole('heading', { name: 'Devices' }).waitFor();
    expect(await console.focused()).toBe('Devices');
    const tabTo = async (wanted: string) => {
      for (let presses = 0; presses < 80; presses++) {
        if ((await console.focused()).startsWith(wanted)) return;
        await keyboard.press('Tab');
      }
      throw new Error(`${wanted} is not reached by Tab`);
    };
    await tabTo('Search');
    await keyboard.type('found by keys');
    await console.reads(console.page.getByRole('status'), '1 device found');
    await tabTo(name);
    expect(await console.page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await keyboard.press('Enter');
    await console.page.getByRole('heading', { name }).waitFor();
    expect(await console.focused()).toBe(name);
    await tabTo('Commands');
    await keyboard.press('Enter');
    expect(await console.focused()).toBe('Commands');
    await tabTo('Command: method');
    await keyboard.type('beep');
    await keyboard.press('Enter');
    const { id: number } = JSON.parse((await commands.next()).text);
    await device.post(`rpc/${number}`, '{"beeped":true}');
    await console.reads(console.page.getByRole('log').locator('.answer'), '{"beeped":true}');
    device.close();
  });
});

describe('How it looks', () => {
  const NARROW = { width: 360, height: 740 } as const;
  const WIDE = { width: 1280, height: 800 } as const;

  it.each([
    ['phone', 'light', NARROW],
    ['phone', 'dark', NARROW],
    ['desktop', 'light', WIDE],
    ['desktop', 'dark', WIDE],
  ] as const)('on a %s, %s, nothing is wider than the window', async (kind, colorScheme, size) => {
    const { id, token } = await newDevice('A thermometer with a name that does not fit on one line of a telephone');
    const rows = Array.from({ length: 120 }, (_, index) => ({
      ts: Date.now() - index * 2000,
      values: { temperature: 21 + 2 * Math.sin(index / 9), humidity: 48 + (index % 7) },
    }));
    const device = new HttpDevice(gateway.http, token);
    await device.post('telemetry', JSON.stringify(rows));
    await device.post('telemetry', '{"state":"open","detail":{"volt":3.61,"cells":[1,2,3,4,5,6,7,8,9,10,11,12]}}');
    await device.post('attributes', '{"serial":"A-17","aVeryLongKeyOfAnAttributeThatSomebodyHasMadeUp":1}');
    await server.share(id, { target: 21.5, mode: 'eco', url: `https://example.org/${'long'.repeat(30)}` });
    const poll = device.poll('rpc', 20_000);
    const console = await open({ ...size, colorScheme });
    const look = async (view: string) => {
      expect([view, await console.overflow()]).toEqual([view, 0]);
      await console.screenshot(`${kind}-${colorScheme}-${view}`);
    };
    await look('login');
    await console.logIn();
    await console.reads(console.page.getByRole('status'), /devices?$/);
    await look('devices');
    await console.page.getByRole('button', { name: 'New device' }).click();
    await look('new-device');
    await console.show('#/live');
    await console.page.locator('tbody tr').first().waitFor();
    await look('live');
    await console.showDevice(id);
    await console
      .part('Telemetry')
      .getByRole('img', { name: /^temperature: \d+ values/ })
      .waitFor();
    await console.page.getByLabel('Command: method').fill('setLed {"on":true}');
    await console.page.keyboard.press('Enter');
    const command = JSON.parse((await poll).text);
    await device.post(`rpc/${command.id}`, '{"led":"on"}');
    await console.reads(console.page.getByRole('log'), '{"led":"on"}');
    await console.part('Connect').locator('pre').nth(3).waitFor();
    await console.scope('SHARED').locator('tr[data-key="url"]').waitFor();
    await look('device');
    await json('DELETE', `/api/device/${id}`);
  });

  it.each(['light', 'dark'] as const)('texts stand out from what is behind them, %s: WCAG AA', async (colorScheme) => {
    const console = await open({ colorScheme });
    const colours: Record<string, string> = await console.page.evaluate(`(() => {
      const style = getComputedStyle(document.documentElement);
      return Object.fromEntries(['paper', 'sheet', 'terminal', 'tint', 'ink', 'soft', 'accent', 'on-accent', 'bad', 'edge']
        .map((name) => [name, style.getPropertyValue('--' + name).trim()]));
    })()`);
    const named = (one: string, other: string) => contrast(colours[one] ?? '', colours[other] ?? '');
    const pairs = ['ink', 'soft', 'accent', 'bad'].flatMap((text) =>
      ['paper', 'sheet', 'terminal', 'tint'].map((ground) => [text, ground] as const),
    );
    const poor = [...pairs, ['on-accent', 'accent'] as const].filter(([text, ground]) => named(text, ground) < 4.5);
    expect(poor).toEqual([]);
    // Borders of controls: 3 to 1 (WCAG 1.4.11).
    expect(named('edge', 'sheet')).toBeGreaterThan(3);
  });
});

/** WCAG 2, of two colours as `#rrggbb`. */
function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
