import { type ClientTrust, type TlsFiles, trustedValue, type Watched } from '@tandem/core';
import { HttpsClient } from '../../../test/security/https-client';
import { type Identity, Pki } from '../../../test/security/pki';
import { TestGateway, type TestGatewayOptions } from './testing/test-gateway';

/** Files that a test replaces. */
class Files implements Watched<TlsFiles> {
  #listeners = new Set<(current: TlsFiles) => void>();

  constructor(public current: TlsFiles) {}

  onChange(listener: (current: TlsFiles) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  set(current: TlsFiles): void {
    this.current = current;
    for (const listener of this.#listeners) listener(current);
  }
}

/** What a client shows, and the key that goes with it. */
type Presented = Pick<Identity, 'chain' | 'key'>;

let pki: Pki;
let files: Files;
let gateway: TestGateway;
let clients: HttpsClient[];
/** Ids of devices. */
let made: string[] = [];

beforeAll(() => {
  pki = new Pki();
});
afterAll(() => pki.remove());
beforeEach(() => {
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  for (const id of made) await gateway.core.devices.delete(gateway.tenantId, id).catch(() => {});
  made = [];
});

async function start(clientTrust?: ClientTrust, settings: TestGatewayOptions['settings'] = {}): Promise<void> {
  const { certificate, key } = pki.server;
  files = new Files({ material: { certificates: certificate, key }, clientTrust });
  gateway = await TestGateway.start({ files, settings });
}

function client(own?: Presented, options?: ConstructorParameters<typeof HttpsClient>[3]): HttpsClient {
  const made = new HttpsClient(gateway.port, pki.root, own, options);
  clients.push(made);
  return made;
}

/** @returns the id of a device that has the certificate */
async function deviceWith({ certificate }: Identity): Promise<string> {
  const { id } = await gateway.device();
  made.push(id);
  await give(id, certificate);
  return id;
}
const give = (id: string, credentialsValue: string) =>
  gateway.core.devices.updateCredentials(gateway.tenantId, id, {
    credentialsType: 'X509_CERTIFICATE',
    credentialsValue,
  });

const READ = '/api/v1/attributes';
const statusOf = async (own: Presented | undefined, path = READ, headers = {}) =>
  (await client(own).get(path, headers)).status;

describe('A certificate that is stored for a device', () => {
  beforeAll(() => start());
  afterAll(() => gateway.stop());

  it('stands for it on every path without a token, and on no other', async () => {
    const id = await deviceWith(pki.client);
    const own = client(pki.client);
    expect((await own.post('/api/v1/attributes', '{"firmware":"one"}')).status).toBe(200);
    expect((await own.get(`${READ}?clientKeys=firmware`)).text).toBe('{"client":{"firmware":"one"}}');
    expect((await own.post('/api/v1/telemetry', '{"a":1}')).status).toBe(200);
    expect((await own.get('/api/v1/rpc?timeout=1')).status).toBe(408);
    expect((await own.get('/api/v1/attributes/updates?timeout=1')).status).toBe(408);
    expect((await own.post('/api/v1/claim', '{}')).status).toBe(200);
    expect(Object.keys(await gateway.stored({ id, token: '' }))).toEqual(['a']);
    for (const token of ['', 'unknown']) expect((await own.get(`/api/v1/${token}/attributes`)).status).toBe(401);
    expect((await own.get('/api/v1/nothing')).status).toBe(404);
  });

  it('stands for it whatever its kind and issuer, expired or not issued for clients apart', async () => {
    const good = [pki.client, pki.rsaClient, pki.selfSignedClient, pki.clientOfOther, pki.serverAuthClient];
    for (const own of [...good, pki.expiredClient, pki.futureClient]) await deviceWith(own);
    for (const own of good) expect(await statusOf(own)).toBe(200);
    expect(await statusOf(pki.expiredClient)).toBe(401);
    expect(await statusOf(pki.futureClient)).toBe(401);
  });

  it('gives way to a token, in the path or in the header, right or wrong', async () => {
    const certified = await deviceWith(pki.client);
    const other = await gateway.device('token');
    const own = client(pki.client);
    const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
    for (const [path, headers] of [
      ['/api/v1/token/attributes', {}],
      ['/api/v1/attributes', bearer('token')],
    ] as const) {
      expect((await own.post(path, '{"mine":true}', headers)).status).toBe(200);
    }
    expect(await gateway.clientAttributes(other)).toEqual({ mine: 'true' });
    expect(await gateway.clientAttributes({ id: certified, token: '' })).toEqual({});
    expect((await own.get(READ, bearer('wrong'))).status).toBe(401);
  });

  it('gives way to nothing else that may be in the header', async () => {
    await deviceWith(pki.client);
    const own = client(pki.client);
    for (const Authorization of ['Basic eA==', '', 'Bearer', 'Bearer ']) {
      expect((await own.get(READ, { Authorization })).status).toBe(200);
    }
    expect((await client().get(READ, { Authorization: 'Basic eA==' })).status).toBe(401);
  });

  it('stands for it also below a certificate that has the name of its issuer and another key, and hides no token', async () => {
    const impostor = pki.selfSigned('impostor', 'other-root');
    const issued = pki.issuedBy(pki.otherRoot, 'client-of-impostor');
    const own = { chain: issued.certificate + impostor.certificate, key: issued.key };
    await gateway.device('behind-impostor');
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect((await client(own, { maxVersion }).get('/api/v1/behind-impostor/attributes')).status).toBe(200);
      expect((await client(own, { maxVersion }).get(READ)).status).toBe(401);
    }
    await deviceWith(issued);
    expect((await client(own).get(READ)).status).toBe(200);
  });

  it('lets nobody in who has another, or none', async () => {
    await deviceWith(pki.client);
    expect(await statusOf(pki.rsaClient)).toBe(401);
    expect(await statusOf(undefined)).toBe(401);
  });

  it('may be that of an authority, for all who really have theirs from it', async () => {
    const id = await deviceWith(pki.intermediate);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      // Each request on a connection of its own: what is resumed must count as much as what is not.
      const own = client(pki.clientOfIntermediate, { keepAlive: false, maxVersion });
      for (let n = 0; n < 3; n++) expect((await own.get(READ)).status).toBe(200);
    }
    const kept = client(pki.clientOfIntermediate);
    await kept.get(READ);
    const misses = gateway.gauge('tandem_credentials_cache_misses_total');
    for (let n = 0; n < 3; n++) expect((await kept.get(READ)).status).toBe(200);
    expect(gateway.gauge('tandem_credentials_cache_misses_total')).toBe(misses);
    await give(id, pki.selfSignedClient.certificate);
    expect((await kept.get(READ)).status).toBe(401);
    const { certificate, key } = pki.selfSignedClient;
    await give(id, pki.intermediate.certificate);
    const pretender = { chain: certificate + pki.intermediate.certificate, key };
    expect(await statusOf(pretender)).toBe(401);
  });
});

describe('On a connection that is kept', () => {
  beforeAll(() => start());
  afterAll(() => gateway.stop());

  it('a certificate that was taken from its device, or whose device is gone, is refused from then on', async () => {
    const replaced = await deviceWith(pki.client);
    const deleted = await deviceWith(pki.rsaClient);
    const [one, other] = [client(pki.client), client(pki.rsaClient)];
    const before = [await one.get(READ), await other.get(READ)];
    expect(before.map(({ status }) => status)).toEqual([200, 200]);
    await give(replaced, pki.selfSignedClient.certificate);
    await gateway.core.devices.delete(gateway.tenantId, deleted);
    const after = [await one.get(READ), await other.get(READ)];
    expect(after.map(({ status }) => status)).toEqual([401, 401]);
    expect(after.map(({ port }) => port)).toEqual(before.map(({ port }) => port));
    await give(replaced, pki.client.certificate);
    expect((await one.get(READ)).status).toBe(200);
  });

  it('a poll ends when its certificate is taken away', async () => {
    const id = await deviceWith(pki.client);
    const poll = client(pki.client).get('/api/v1/rpc?timeout=60000');
    await gateway.polls(1);
    await give(id, pki.selfSignedClient.certificate);
    expect((await poll).status).toBe(408);
    const again = client(pki.selfSignedClient).get('/api/v1/rpc?timeout=60000');
    await gateway.polls(1);
    await gateway.core.devices.delete(gateway.tenantId, id);
    expect((await again).status).toBe(403);
  });
});

describe('With a trust store', () => {
  beforeAll(() => start(trust()));
  afterAll(() => gateway.stop());
  const trust = (revoked?: string): ClientTrust => ({ authorities: pki.root.certificate, revoked });
  const believe = (clientTrust: ClientTrust) => files.set({ ...files.current, clientTrust });

  it('only certificates count that come from its authorities, and are for clients', async () => {
    believe(trust());
    const { client: plain, rsaClient, clientOfIntermediate, clientOfOther, selfSignedClient, serverAuthClient } = pki;
    for (const one of [plain, rsaClient, clientOfIntermediate]) await deviceWith(one);
    for (const one of [clientOfOther, selfSignedClient, serverAuthClient]) await deviceWith(one);
    for (const one of [plain, rsaClient, clientOfIntermediate]) expect(await statusOf(one)).toBe(200);
    for (const one of [clientOfOther, selfSignedClient, serverAuthClient]) expect(await statusOf(one)).toBe(401);
    const { token } = await gateway.device();
    expect(await statusOf(clientOfOther, `/api/v1/${token}/attributes`)).toBe(200);
  });

  it('none counts that is revoked, at whatever height', async () => {
    void pki.revokedClient;
    believe(trust(pki.root.revocations() + pki.intermediate.revocations()));
    for (const one of [pki.client, pki.revokedClient, pki.clientOfIntermediate]) await deviceWith(one);
    expect(await statusOf(pki.client)).toBe(200);
    expect(await statusOf(pki.clientOfIntermediate)).toBe(200);
    expect(await statusOf(pki.revokedClient)).toBe(401);
  });

  it('a list that changes ends connections of trusted clients after their answers, and no others', async () => {
    const lists = () => pki.root.revocations() + pki.intermediate.revocations();
    believe(trust(lists()));
    const late = pki.root.issue('revoked late');
    for (const one of [late, pki.client]) await deviceWith(one);
    const [idle, polling, stranger] = [client(late), client(pki.client), client()];
    const { token } = await gateway.device();
    const byToken = `/api/v1/${token}/attributes`;
    const [of, kept] = [await idle.get(READ), await stranger.get(byToken)];
    expect([of.status, kept.status]).toEqual([200, 200]);
    const poll = polling.get('/api/v1/rpc?timeout=60000');
    await gateway.polls(1);
    pki.root.revoke(late);
    believe(trust(lists()));
    expect((await poll).status).toBe(408);
    // After a handshake that began later the client knows of the end of its idle connection.
    expect((await client().get(byToken)).status).toBe(200);
    const [gone, again] = [await idle.get(READ), await polling.get(READ)];
    expect([gone.status, again.status]).toEqual([401, 200]);
    expect(gone.port).not.toBe(of.port);
    expect((await stranger.get(byToken)).port).toBe(kept.port);
  });

  it.each(['rpc', 'attributes/updates'])(
    'a list that changes ends open polls at once, and nothing of later is told: %s',
    async (what) => {
      believe(trust());
      const id = await deviceWith(pki.client);
      const own = client(pki.client);
      const poll = own.get(`/api/v1/${what}?timeout=60000`);
      await gateway.polls(1);
      believe(trust(pki.root.revocations()));
      const [key, value] = ['secret', trustedValue('"late"')];
      await gateway.core.attributes.saveFromServer(id, 'SHARED', [{ key, value }]);
      expect(await poll).toMatchObject({ status: 408, text: '' });
      expect(gateway.openPolls).toBe(0);
      expect((await own.get(`/api/v1/${what}?timeout=1`)).port).not.toBe((await poll).port);
    },
  );

  it('what cannot be used ends what was trusted before as well, and nobody is trusted until it can', async () => {
    believe(trust());
    const { material } = files.current;
    await deviceWith(pki.client);
    const { token } = await gateway.device();
    const own = client(pki.client);
    const poll = own.get('/api/v1/rpc?timeout=60000');
    await gateway.polls(1);
    const damaged = { ...material, certificates: 'nothing' };
    const revoked = pki.intermediate.revocations();
    expect(() => files.set({ material: damaged, clientTrust: trust(revoked) })).toThrow();
    expect(await poll).toMatchObject({ status: 408, text: '' });
    expect(await statusOf(pki.client)).toBe(401);
    expect(await statusOf(pki.client, `/api/v1/${token}/attributes`)).toBe(200);
    expect(() => files.set({ material: damaged, clientTrust: trust(revoked) })).toThrow();
    expect(await statusOf(pki.client)).toBe(401);
    files.set({ material, clientTrust: trust() });
    expect(await statusOf(pki.client)).toBe(200);
    expect(() => files.set({ material: damaged, clientTrust: trust() })).toThrow();
    expect(await statusOf(pki.client)).toBe(200);
    files.set({ material, clientTrust: trust() });
  });

  it('another certificate of the server ends no connection', async () => {
    believe(trust());
    await deviceWith(pki.client);
    const own = client(pki.client);
    const before = await own.get(READ);
    const { certificate, key } = pki.rsaServer;
    files.set({ material: { certificates: certificate, key }, clientTrust: trust() });
    expect(await own.get(READ)).toMatchObject({ status: 200, port: before.port, server: 'server' });
    expect(await client(pki.client).get(READ)).toMatchObject({ status: 200, server: 'rsa-server' });
  });
});

describe('Where it is not looked at whether certificates are valid', () => {
  beforeAll(() => start(undefined, { TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT: 'true' }));
  afterAll(() => gateway.stop());

  it('one that has expired stands for its device', async () => {
    await deviceWith(pki.expiredClient);
    expect(await statusOf(pki.expiredClient)).toBe(200);
  });
});

describe('Where wrong credentials lock an address', () => {
  const settings = { TB_TRANSPORT_IP_RATE_LIMITS_ENABLED: 'true', TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP: '2' };
  beforeAll(() => start(undefined, settings));
  afterAll(() => gateway.stop());

  it('unknown certificates count as wrong ones, but none or one that has expired does not', async () => {
    for (const own of [undefined, pki.expiredClient, undefined, pki.expiredClient])
      expect(await statusOf(own)).toBe(401);
    for (const own of [pki.client, pki.rsaClient]) expect(await statusOf(own)).toBe(401);
    expect(await statusOf(pki.client)).toBe(429);
  });
});
