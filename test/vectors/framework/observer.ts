import type { RawClient, Received } from '../../../packages/coap-transport/src/testing/raw-client';
import { eventually } from '../../support/eventually';
import type { TokenName } from './fixtures';
import type { CoapExtras, Scene } from './scene';

/** An observation of a device's attributes or commands by one endpoint. */
export class Observer {
  readonly token: Buffer;

  private constructor(
    private readonly scene: Scene,
    readonly client: RawClient,
    private readonly line: string,
    private readonly extras: CoapExtras,
  ) {
    this.token = client.newToken();
  }

  /** @param client the vector's own where left out */
  static async of(
    scene: Scene,
    name: TokenName,
    feature: 'attributes' | 'rpc' = 'attributes',
    { client, ...extras }: CoapExtras & { client?: RawClient } = {},
  ): Promise<Observer> {
    return new Observer(scene, client ?? (await scene.coap()), `GET /api/v1/${name}/${feature}`, extras);
  }

  /** Resolves with the first response. */
  register(): Promise<Received> {
    return this.#ask(0);
  }

  /** Observe 1 */
  deregister(): Promise<Received> {
    return this.#ask(1);
  }

  /** The next message. */
  next(): Promise<Received> {
    return this.client.notification(this.token);
  }

  async #ask(observe: 0 | 1): Promise<Received> {
    const { token, extras } = this;
    return this.client.ask(await this.scene.request(this.line, '', { ...extras, token, observe }));
  }
}

/**
 * How many observations of a device the gateway's CoAP process has. Not its gauge of all of them: rows that run along with
 * this one observe as well.
 */
export async function observationsOf(scene: Scene, name: TokenName): Promise<number> {
  const { id } = await scene.device(name);
  const response = await fetch(`http://127.0.0.1:${scene.world.coap.metrics}/observations?deviceId=${id}`);
  return ((await response.json()) as { readonly total: number }).total;
}

/** Resolves when the device has none any more. */
export const observationsEnd = (scene: Scene, name: TokenName): Promise<void> =>
  eventually(async () => {
    const count = await observationsOf(scene, name);
    return count === 0 ? undefined : `${count} observations of ${name} are left`;
  });
