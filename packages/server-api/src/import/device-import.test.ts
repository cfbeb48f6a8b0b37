import { type ImportResult, TandemError } from '@tandem/core';
import { ServerUnderTest } from '../testing/server-under-test';

let server: ServerUnderTest;
let token: string;
beforeAll(async () => {
  server = await ServerUnderTest.start();
  token = (await server.login()).token;
});
afterAll(() => server.stop());

type Columns = readonly (string | readonly [type: string, key: string])[];

const columnsOf = (columns: Columns) =>
  columns.map((column) => (typeof column === 'string' ? { type: column } : { type: column[0], key: column[1] }));
const send = (file: string, columns: Columns, more: object = {}) =>
  server.call('POST', '/api/device/bulk_import', {
    token,
    body: { file, mapping: { columns: columnsOf(columns), ...more } },
  });
const importOf = async (file: string, columns: Columns, more: object = {}): Promise<ImportResult> => {
  const answer = await send(file, columns, more);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.json<ImportResult>();
};
/** @returns what became of the import, and how often others got their turn while it went on */
const turnsDuring = async (call: Promise<ImportResult>) => {
  let over = false;
  let turns = 0;
  const done = call.finally(() => {
    over = true;
  });
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  return { result: await done, turns };
};
const find = async (name: string) => {
  const found = await server.call('GET', `/api/tenant/devices?deviceName=${encodeURIComponent(name)}`, { token });
  return found.status === 200 ? found.json<Record<string, unknown> & { id: { id: string } }>() : undefined;
};
const of = async (name: string, path: string) => {
  const id = (await find(name))?.id.id;
  return (await server.call('GET', path.replace('{id}', id ?? ''), { token })).json<unknown>();
};
const attributes = async (name: string, scope: string) => {
  const found = (await of(name, `/api/plugins/telemetry/DEVICE/{id}/values/attributes/${scope}`)) as {
    key: string;
    value: unknown;
  }[];
  return Object.fromEntries(found.map(({ key, value }) => [key, value]));
};

describe('a list of devices', () => {
  it('is imported row by row, each with all that its columns say', async () => {
    const file = [
      'Name;Type;Label;Token;Description;Gateway;Serial;Limit;On;t',
      'import 1;boiler;Cellar;TOKEN_1;"the ""old"" one; left";TRUE;007;42.0;true;21.5',
      'import 2;;;;;;;;;',
    ].join('\r\n');
    const columns: Columns = [
      ...['NAME', 'TYPE', 'LABEL', 'ACCESS_TOKEN', 'DESCRIPTION', 'IS_GATEWAY'],
      ...([
        ['SERVER_ATTRIBUTE', 'serial'],
        ['SHARED_ATTRIBUTE', 'limit'],
        ['SHARED_ATTRIBUTE', 'on'],
      ] as const),
      ['TIMESERIES', 't'],
    ];
    const result = await importOf(file, columns, { delimiter: ';', header: true });
    expect(result).toEqual({ created: 2, updated: 0, errors: 0, errorsList: [] });
    expect(await find('import 1')).toMatchObject({
      type: 'boiler',
      label: 'Cellar',
      additionalInfo: { description: 'the "old" one; left', gateway: true },
    });
    expect(await of('import 1', '/api/device/{id}/credentials')).toMatchObject({ credentialsId: 'TOKEN_1' });
    expect(await attributes('import 1', 'SHARED_SCOPE')).toEqual({ limit: 42, on: true });
    expect(await attributes('import 1', 'SERVER_SCOPE')).toMatchObject({ serial: 7, active: false });
    await server.core.state.materialiser.caughtUp();
    expect(await of('import 1', '/api/plugins/telemetry/DEVICE/{id}/values/timeseries')).toEqual({
      t: [{ ts: server.clock.now(), value: '21.5' }],
    });
    expect(await find('import 2')).toMatchObject({ type: 'default', label: null, additionalInfo: null });
    expect(await of('import 2', '/api/device/{id}/credentials')).toMatchObject({
      credentialsId: expect.stringMatching(/^[A-Za-z0-9]{20}$/),
    });
  });

  it('changes devices that are there: only what it says, and values only when it is told to', async () => {
    const columns: Columns = ['NAME', 'LABEL', 'DESCRIPTION', ['SHARED_ATTRIBUTE', 'a']];
    await server.call('POST', '/api/device?accessToken=KEPT', {
      token,
      body: { name: 'there', type: 'boiler', label: 'former', additionalInfo: { n: 1, description: 'x' } },
    });
    expect(await importOf('there,,new text,1', columns)).toMatchObject({ created: 0, updated: 1, errors: 0 });
    expect(await find('there')).toMatchObject({
      type: 'boiler',
      label: 'former',
      additionalInfo: { n: 1, description: 'new text' },
      version: 2,
    });
    expect(await attributes('there', 'SHARED_SCOPE')).toEqual({});
    expect(await of('there', '/api/device/{id}/credentials')).toMatchObject({ credentialsId: 'KEPT', version: 1 });
    expect(await importOf('there,latter,,2', columns, { update: true })).toMatchObject({ updated: 1 });
    expect(await find('there')).toMatchObject({ label: 'latter' });
    expect(await attributes('there', 'SHARED_SCOPE')).toEqual({ a: 2 });
    await importOf('there,OTHER', ['NAME', 'ACCESS_TOKEN']);
    expect(await of('there', '/api/device/{id}/credentials')).toMatchObject({ credentialsId: 'OTHER', version: 2 });
    await importOf('there,OTHER', ['NAME', 'ACCESS_TOKEN']);
    expect(await of('there', '/api/device/{id}/credentials')).toMatchObject({ version: 2 });
  });

  it('does rows of one name in their order', async () => {
    const rows = Array.from({ length: 60 }, (_, n) => `twice,${n}`).join('\n');
    expect(await importOf(rows, ['NAME', 'LABEL'])).toEqual({ created: 1, updated: 59, errors: 0, errorsList: [] });
    expect(await find('twice')).toMatchObject({ label: '59', version: 60 });
  });

  it('names the line of what is wrong, and does all the others', async () => {
    await importOf('holder,HELD', ['NAME', 'ACCESS_TOKEN']);
    const file = [
      'name,token,label,certificate',
      'good 1,,,',
      ',,,',
      'bad token,HELD,,',
      '',
      `${'x'.repeat(256)},,,`,
      `bad label,,${'l'.repeat(256)},`,
      'too,many,values,are,here',
      'bad certificate,,,nonsense',
      'bad\u0000name,,,',
      'good 2,,',
    ].join('\n');
    const result = await importOf(file, ['NAME', 'ACCESS_TOKEN', 'LABEL', 'X509'], { header: true });
    expect(result).toEqual({
      created: 2,
      updated: 0,
      errors: 7,
      errorsList: [
        'Line 3: Device name should be specified!',
        'Line 4: Specified credentials are already registered!',
        'Line 6: Device name is longer than 255 characters',
        'Line 7: LABEL is longer than 255 characters',
        'Line 8: 5 values, but 4 columns',
        'Line 9: credentialsValue must be one X.509 certificate, as PEM or base64',
        'Line 10: NAME must be well-formed Unicode without the character U+0000',
      ],
    });
    expect([await find('bad token'), await find('bad label'), await find('bad certificate')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([await find('good 1'), await find('good 2')]).toEqual([expect.anything(), expect.anything()]);
  });

  it.each([
    ['a,1\nb,"2"x\nc,3', 1, 'Line 2: There is something behind a closing quotation mark; what follows was not read'],
    ['a,1\nb,"2\nc,3', 1, 'Line 3: A quotation mark is not closed; what follows was not read'],
    [
      `a,1\nb,${'y'.repeat(200_000)}\nc,3`,
      1,
      'Line 2: The row is longer than 131072 characters; what follows was not read',
    ],
  ])('is read up to where it is no list any more', async (file, rows, error) => {
    const result = await importOf(file, ['NAME', 'LABEL']);
    expect(result).toMatchObject({ errors: 1, errorsList: [error] });
    expect(result.created + result.updated).toBe(rows);
  });

  it('makes no device that cannot be given all its row says', async () => {
    const { devices, attributes: store } = server.core.state;
    const fault = jest.spyOn(store, 'save').mockRejectedValueOnce(new Error('the disk is on fire'));
    const answer = await send('half,1', ['NAME', ['SHARED_ATTRIBUTE', 'a']]);
    fault.mockRestore();
    expect(answer.status).toBe(500);
    const admin = await server.core.state.accounts.findUserByEmail('tenant@thingsboard.org');
    expect(await devices.findDeviceByName(admin?.tenantId ?? '', 'half')).toBeUndefined();
  });

  it('tells why a device could not be given all its row says, even if it cannot be removed again', async () => {
    const { devices, attributes: store } = server.core.state;
    const fault = jest.spyOn(store, 'save').mockRejectedValueOnce(new TandemError('BAD_REQUEST', { message: 'first' }));
    const second = jest.spyOn(devices, 'deleteDevice').mockRejectedValueOnce(new Error('second'));
    const result = await importOf('kept half,1', ['NAME', ['SHARED_ATTRIBUTE', 'a']]);
    fault.mockRestore();
    second.mockRestore();
    expect(result).toMatchObject({ created: 0, errorsList: ['Line 1: first'] });
    await importOf('kept half,1', ['NAME', ['SHARED_ATTRIBUTE', 'a']], { update: true });
    expect(await attributes('kept half', 'SHARED_SCOPE')).toEqual({ a: 1 });
  });

  it('may be imported by several at the same time', async () => {
    const file = Array.from({ length: 60 }, (_, n) => `at once ${n},a type,ONCE ${n}`).join('\n');
    const results = await Promise.all(
      Array.from({ length: 5 }, () => importOf(file, ['NAME', 'TYPE', 'ACCESS_TOKEN'], { update: true })),
    );
    expect(results.flatMap(({ errorsList }) => errorsList)).toEqual([]);
    expect(results.reduce((sum, { created }) => sum + created, 0)).toBe(60);
  });

  it.each([
    ['wrong rows', 'a,b\n'.repeat(5_000), 5_000],
    ['empty lines', '\n'.repeat(500_000), 0],
    ['one row without an end', ','.repeat(400_000), 1],
  ])('does not hold up others while it is read: %s', async (_case, file, errors) => {
    const { result, turns } = await turnsDuring(importOf(file, ['NAME']));
    expect(result).toMatchObject({ created: 0, updated: 0, errors });
    expect(result.errorsList).toHaveLength(Math.min(errors, 1_000));
    expect(turns).toBeGreaterThan(20);
  });

  it('is refused before anything is imported when it has more rows than it may', async () => {
    const small = await ServerUnderTest.start({ TANDEM_IMPORT_MAX_ROWS: '2' });
    const { token: own } = await small.login();
    const sending = (file: string) =>
      small.call('POST', '/api/device/bulk_import', {
        token: own,
        body: { file, mapping: { columns: [{ type: 'NAME' }], header: true } },
      });
    const refused = await sending('name\n1\n2\n\n3');
    expect([refused.status, refused.json().message]).toEqual([
      400,
      'The list has more than 2 rows: send it in parts. Nothing was imported',
    ]);
    expect((await sending('name\n1\n2\n\n')).json()).toMatchObject({ created: 2 });
    await small.stop();
  });

  it.each(['"', '\n', '\r', '', 'ab', '\u0000'])('is refused with the delimiter %j', async (delimiter) => {
    const answer = await send('never made', ['NAME'], { delimiter });
    expect([answer.status, answer.json().message]).toEqual([
      400,
      'body.mapping.delimiter must be one character that is neither a quotation mark nor a line break',
    ]);
  });

  it('of thousands of rows is imported as well', async () => {
    const rows = Array.from({ length: 3_000 }, (_, n) => `mass ${n},LABEL ${n}`).join('\n');
    expect(await importOf(`\ufeff${rows}`, ['NAME', 'LABEL'])).toMatchObject({ created: 3_000, errors: 0 });
    const list = await server.call('GET', '/api/tenant/devices?pageSize=1&page=0&textSearch=MASS%20', { token });
    expect(list.json()).toMatchObject({ totalElements: 3_000 });
  });

  it.each([
    [[], 'body.mapping.columns must NOT have fewer than 1 items'],
    [['LABEL'], 'There is no column of type NAME'],
    [['NAME', 'NAME'], 'There are two columns for the same NAME'],
    [['NAME', 'TIMESERIES'], 'Column 2: a column of type TIMESERIES needs a key'],
    [['NAME', ['TIMESERIES', 'a'], ['TIMESERIES', 'a']], 'There are two columns for the same TIMESERIES'],
    [['NAME', 'SNMP_HOST'], expect.stringContaining('body.mapping.columns.1.type must be one of NAME, TYPE')],
  ] as const)('is refused with columns that make no sense: %j', async (columns, message) => {
    const answer = await send('never made,b,c', columns);
    expect([answer.status, answer.json().message]).toEqual([400, message]);
    expect(await find('never made')).toBeUndefined();
  });

  it('is for tenant administrators', async () => {
    await server.addUser('importer@x.org');
    const user = (await server.login('importer@x.org')).token;
    const answer = await server.call('POST', '/api/device/bulk_import', { token: user, body: {} });
    expect(answer.status).toBe(403);
  });
});
