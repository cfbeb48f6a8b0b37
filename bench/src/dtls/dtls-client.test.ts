import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freeUdpPort } from '../servers/free-port';
import { makeCertificate } from './certificates';
import { DtlsClientContext } from './dtls-client';

describe('the DTLS client of the load', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bench-'));
  let server: ChildProcessWithoutNullStreams;
  let port = 0;
  let said = '';
  const says = async (text: string): Promise<void> => {
    while (!said.includes(text)) await once(server.stdout, 'data');
  };
  beforeAll(async () => {
    const files = makeCertificate(folder, 'server');
    port = await freeUdpPort();
    const wishes = ['-cert', files.certificate, '-key', files.key, '-verify', '1', '-listen'];
    server = spawn('openssl', ['s_server', '-dtls1_2', '-accept', `127.0.0.1:${port}`, ...wishes]);
    server.stdout.on('data', (piece) => {
      said += piece;
    });
    await says('ACCEPT');
  });
  afterAll(async () => {
    const ended = once(server, 'close');
    server.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it('opens a session with its certificate and says and hears something in it', async () => {
    const context = new DtlsClientContext(makeCertificate(folder, 'client'));
    const client = context.connect('127.0.0.1', port);
    await client.opened;
    client.send(Buffer.from('hello\n'));
    await says('hello');
    const heard = new Promise<Buffer>((resolve) => {
      client.onMessage = resolve;
    });
    server.stdin.write('welcome\n');
    expect(String(await heard)).toBe('welcome\n');
    expect(said).toContain('subject=CN = client');
    client.close();
  });
});
