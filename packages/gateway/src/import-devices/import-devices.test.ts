import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImportCommandOptions, importDevices } from './import-devices';

interface Sent {
  readonly authorization: unknown;
  readonly file: string;
  readonly mapping: { readonly columns: object[]; readonly update: boolean };
}

const folder = mkdtempSync(join(tmpdir(), 'tandem-import-'));
const list = join(folder, 'list.csv');
const passwordFile = join(folder, 'password');
writeFileSync(passwordFile, 'correct horse\n');

/** What the gateway gets, and what it answers. */
const sent: Sent[] = [];
let logins = 0;
let answers: ((body: Sent) => [status: number, body: object, headers?: Record<string, string>])[] = [];
const gateway = createServer((request, response) => {
  let text = '';
  request.on('data', (piece) => {
    text += piece;
  });
  request.on('end', () => {
    const body = JSON.parse(text);
    if (request.url === '/api/auth/login') {
      logins++;
      expect(body).toEqual({ username: 'a@x.org', password: 'correct horse' });
      response.end(JSON.stringify({ token: `token-${logins}` }));
      return;
    }
    const call = { ...body, authorization: request.headers['x-authorization'] };
    sent.push(call);
    const [status, answer, headers] = answers.shift()?.(call) ?? [200, allCreated(call)];
    response.writeHead(status, headers).end(JSON.stringify(answer));
  });
});
const allCreated = ({ file }: Sent) => ({
  created: file.split('\n').length - 1,
  updated: 0,
  errors: 0,
  errorsList: [],
});

let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
});
beforeEach(() => {
  sent.length = 0;
  answers = [];
  logins = 0;
});
afterAll(() => {
  gateway.close();
  rmSync(folder, { recursive: true });
});

async function run(file: string, given: Partial<ImportCommandOptions> = {}): Promise<[boolean, ...string[]]> {
  writeFileSync(list, file);
  const lines: string[] = [];
  const options = { url, username: 'a@x.org', passwordFile, delimiter: ',', update: true, ...given };
  const whole = await importDevices(list, options, (line) => lines.push(line));
  return [whole, ...lines];
}

describe('tandem devices import', () => {
  it('sends what the columns are, the rows and the login', async () => {
    const file = '\ufeffName;type;Shared:Report Interval;token\r\n"a ""b"" c";"x;y";1,5;t\r\n\r\nb;;;\r\n';
    expect(await run(file, { delimiter: ';' })).toEqual([true, '2 created, 0 updated, 0 not imported']);
    const columns = [
      { type: 'NAME' },
      { type: 'TYPE' },
      { type: 'SHARED_ATTRIBUTE', key: 'Report Interval' },
      { type: 'ACCESS_TOKEN' },
    ];
    expect(sent).toEqual([
      {
        authorization: 'Bearer token-1',
        file: '"a ""b"" c",x;y,"1,5",t\nb,,,\n',
        mapping: { columns, delimiter: ',', header: false, update: true },
      },
    ]);
    await run('name\na\n', { apiKey: 'KEY', username: undefined, passwordFile: undefined, update: false });
    expect(sent[1]).toMatchObject({ authorization: 'ApiKey KEY', mapping: { update: false } });
    expect(logins).toBe(1);
  });

  it('sends a long list in portions, with one login', async () => {
    const rows = Array.from({ length: 1_203 }, (_, n) => `device ${n}`);
    expect(await run(`name\n${rows.join('\n')}`)).toEqual([true, '1203 created, 0 updated, 0 not imported']);
    expect(sent.map(({ file }) => file.split('\n').length - 1)).toEqual([500, 500, 203]);
    expect(sent.map(({ file }) => file).join('')).toBe(`${rows.join('\n')}\n`);
    expect(logins).toBe(1);
  });

  it('tells the line of the file that a row stands in, and says in the end that not all were imported', async () => {
    const rows = Array.from({ length: 501 }, (_, n) => `device ${n},"two\nlines"`);
    const wrong = (line: number) => () =>
      [200, { created: 1, updated: 2, errors: 1, errorsList: [`Line ${line}: it is wrong`] }] as [number, object];
    answers = [wrong(4), wrong(2)];
    expect(await run(`name,label\n\n${rows.join('\n')}`)).toEqual([
      false,
      'Line 6: it is wrong',
      'Line 1004: it is wrong',
      '2 created, 4 updated, 2 not imported',
    ]);
  });

  it('comes again when the gateway is busy, and logs in again when its token has expired', async () => {
    answers = [() => [503, {}, { 'Retry-After': '0' }], () => [401, { message: 'Token has expired' }]];
    expect(await run('name\na\n')).toEqual([true, '1 created, 0 updated, 0 not imported']);
    expect(sent.map(({ authorization }) => authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });

  it.each([
    ['name,colour\na,red\n', 'The column "colour" is not known; there are name, type,'],
    ['name,shared:\na,1\n', 'Column 2: a column of type SHARED_ATTRIBUTE needs a key'],
    ['label\na\n', 'There is no column of type NAME'],
    ['name\na\nb"c\n', 'list.csv: Invalid Opening Quote'],
    ['name\na\n"b\n', 'line 3'],
    ['', 'is empty'],
  ])('sends nothing of a list that makes no sense: %j', async (file, why) => {
    await expect(run(file)).rejects.toThrow(why);
    expect(sent).toEqual([]);
  });

  it('does not say that it came anywhere when the gateway wants none of it', async () => {
    answers = [() => [403, { message: 'Not yours' }]];
    await expect(run('name\na')).rejects.toThrow(/^The gateway answers 403: Not yours$/);
  });

  it('says how far it came when the gateway does not want the rest', async () => {
    const rows = Array.from({ length: 600 }, (_, n) => `device ${n}`);
    answers = [(body) => [200, allCreated(body)], () => [403, { message: 'No longer yours' }]];
    await expect(run(`name\n${rows.join('\n')}`)).rejects.toThrow(
      `The gateway answers 403: No longer yours (imported up to line 501 of ${list}; it can be imported again)`,
    );
  });

  it.each([
    [{ username: undefined }, 'Give --api-key, or --username and --password-file'],
    [{ delimiter: ';;' }, 'The delimiter must be one character'],
    [{ url: 'nonsense' }, 'Invalid URL'],
    [{ passwordFile: join(folder, 'none') }, 'no such file'],
  ])('says what is wrong with the command: %j', async (given, why) => {
    await expect(run('name\na\n', given)).rejects.toThrow(why);
  });

  it('says that a file is not there', async () => {
    const options = { url, apiKey: 'k', delimiter: ',', update: true };
    await expect(importDevices(join(folder, 'none.csv'), options, () => {})).rejects.toThrow('none.csv');
  });
});
