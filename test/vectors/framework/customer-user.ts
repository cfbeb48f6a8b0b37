import { ServerClient } from '../../support/server-client';
import type { TokenName } from './fixtures';
import type { Scene, World } from './scene';

const PASSWORD = 'Battery-Staple-8';
const users = new WeakMap<World, Promise<ServerClient>>();

/** Somebody who may claim devices: a user of a customer, the same one for all vectors of a gateway. */
function customerUser({ world }: Scene): Promise<ServerClient> {
  const known = users.get(world) ?? makeUser(world);
  users.set(world, known);
  return known;
}

/** What the user is told who claims the device: `SUCCESS`, `FAILURE`, `CLAIMED`. */
export async function claimedBy(scene: Scene, name: TokenName, secretKey: string): Promise<string> {
  const [user, device] = await Promise.all([customerUser(scene), scene.device(name)]);
  const path = `/api/customer/device/${encodeURIComponent(device.name)}/claim`;
  const told = JSON.parse((await user.send('POST', path, { secretKey })).text) as string | { response: string };
  return typeof told === 'string' ? told : told.response;
}

async function makeUser({ server, api }: World): Promise<ServerClient> {
  const made = async <T>(path: string, body: object): Promise<T> => {
    const { status, text } = await server.send('POST', path, body);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return JSON.parse(text) as T;
  };
  const customer = await made<{ id: object }>('/api/customer', { title: 'who claims' });
  const email = 'claims@example.org';
  const user = await made<{ id: { id: string } }>('/api/user?sendActivationMail=false', {
    email,
    authority: 'CUSTOMER_USER',
    customerId: customer.id,
  });
  const link = (await server.send('GET', `/api/user/${user.id.id}/activationLink`)).text;
  const activateToken = new URL(link).searchParams.get('activateToken');
  await made('/api/noauth/activate?sendActivationMail=false', { activateToken, password: PASSWORD });
  return ServerClient.login(api.http, email, PASSWORD);
}
