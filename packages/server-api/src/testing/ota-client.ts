import { type Answer, ServerUnderTest } from './server-under-test';

export interface EntityJson {
  readonly id: { readonly entityType: string; readonly id: string };
}

/** What an administrator does with packages. */
export class OtaClient {
  #made = 0;

  private constructor(
    readonly server: ServerUnderTest,
    readonly token: string,
    /** The default profile's. */
    readonly profileId: EntityJson['id'],
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<OtaClient> {
    const server = await ServerUnderTest.start(settings);
    const { token } = await server.login();
    const profile = await server.call('GET', '/api/deviceProfileInfo/default', { token });
    return new OtaClient(server, token, profile.json<EntityJson>().id);
  }

  call(method: string, path: string, body?: string | object, headers?: Record<string, string>): Promise<Answer> {
    return this.server.call(method, path, { token: this.token, body, headers });
  }

  save(body: object): Promise<Answer> {
    return this.call('POST', '/api/otaPackage', body);
  }

  /** @returns the id of a package without a file */
  async create(given: object = {}): Promise<string> {
    const title = `FW ${++this.#made}`;
    const answer = await this.save({
      deviceProfileId: this.profileId,
      type: 'FIRMWARE',
      title,
      version: '1.0',
      ...given,
    });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.json<EntityJson>().id.id;
  }

  /** As a browser does it. */
  async upload(id: string, bytes: Buffer, query = 'checksumAlgorithm=SHA256') {
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }), 'fw.bin');
    const response = await this.#fetch(`/api/otaPackage/${id}?${query}`, { method: 'POST', body: form });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  }

  /** @returns the id of a package with this file */
  async uploaded(bytes: Buffer, given: object = {}): Promise<string> {
    const id = await this.create(given);
    const { status, json } = await this.upload(id, bytes);
    if (status !== 200) throw new Error(JSON.stringify(json));
    return id;
  }

  info(id: string): Promise<Answer> {
    return this.call('GET', `/api/otaPackage/info/${id}`);
  }

  download(id: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#fetch(`/api/otaPackage/${id}/download`, { headers });
  }

  #fetch(path: string, { headers, ...rest }: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.server.port}${path}`, {
      ...rest,
      headers: { 'X-Authorization': `Bearer ${this.token}`, ...headers },
    });
  }
}
