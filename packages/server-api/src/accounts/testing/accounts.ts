import { ADMIN, type Answer, ServerUnderTest, SYSTEM_ADMIN } from '../../testing/server-under-test';

export interface Entity {
  readonly id: { readonly entityType: string; readonly id: string };
  readonly version: number;
}

/** Makes users without a mail, which is not there to be sent. */
export const NO_MAIL = '/api/user?sendActivationMail=false';
export const NO_CUSTOMER = { entityType: 'CUSTOMER', id: '13814000-1dd2-11b2-8080-808080808080' };
export const customerOf = (id: string) => ({ entityType: 'CUSTOMER', id });

/** A server with a system administrator and a tenant administrator who are logged in. */
export class Accounts {
  /** Token of the system administrator. */
  system = '';
  /** Token of the tenant administrator. */
  admin = '';
  tenantId = '';
  #server: ServerUnderTest | undefined;
  #count = 0;

  get server(): ServerUnderTest {
    if (!this.#server) throw new Error('the server is there only within a test');
    return this.#server;
  }

  async start(): Promise<void> {
    this.#server = await ServerUnderTest.start();
    this.system = (await this.server.login(SYSTEM_ADMIN)).token;
    this.admin = (await this.server.login(ADMIN)).token;
    this.tenantId = (await this.server.core.state.accounts.findUserByEmail(ADMIN))?.tenantId ?? '';
  }

  readonly post = (path: string, body: object, token = this.admin) => this.server.call('POST', path, { token, body });
  readonly get = (path: string, token = this.admin) => this.server.call('GET', path, { token });
  readonly remove = (path: string, token = this.admin) => this.server.call('DELETE', path, { token });

  readonly aCustomer = () => made(this.post('/api/customer', { title: `Customer ${++this.#count}` }));
  readonly userBody = (customerId: string) => ({
    authority: 'CUSTOMER_USER',
    customerId: customerOf(customerId),
    email: `user${++this.#count}@x.org`,
  });
  readonly aUser = async () => made(this.post(NO_MAIL, this.userBody(await this.aCustomer())));
  readonly tokenOf = async (userId: string, token = this.admin) =>
    (await this.get(`/api/user/${userId}/token`, token)).json<{ token: string }>().token;
}

/** The id of what was made. */
export async function made(answer: Promise<Answer>): Promise<string> {
  const { status, text, json } = await answer;
  if (status !== 200) throw new Error(`${status} ${text}`);
  return json<Entity>().id.id;
}

export function useAccounts(): Accounts {
  const accounts = new Accounts();
  beforeAll(() => accounts.start());
  afterAll(() => accounts.server.stop());
  return accounts;
}
