import type { CoapRequest } from '../request';
import type { CoapResponse } from '../response';
import type { EndpointSettings } from '../settings';
import { type FakeClient, kind, option } from './fake-client';
import { FakeSource } from './fake-source';
import { Harness } from './harness';

/** An endpoint of which anything can be observed. */
export interface Observed {
  readonly harness: Harness;
  readonly client: FakeClient;
  readonly sources: FakeSource[];
  readonly requests: CoapRequest[];
  /** The newest source. */
  source(): FakeSource;
  register(confirmable?: boolean, token?: string, client?: FakeClient): Promise<void>;
}

/**
 * Registrations are accepted while there is room, each with a source of its own; other requests are answered `plain`.
 * @param instead the answer to a request in place of that, where it has one
 */
export function observed(
  settings: Partial<EndpointSettings> = {},
  instead: (request: CoapRequest) => CoapResponse | undefined = () => undefined,
): Observed {
  const sources: FakeSource[] = [];
  const requests: CoapRequest[] = [];
  const harness = new Harness((request) => {
    requests.push(request);
    const other = instead(request);
    if (other) return other;
    if (request.observe !== 0 || !request.observable) return { code: '2.05', payload: 'plain' };
    const source = new FakeSource();
    sources.push(source);
    return { code: '2.05', payload: '{}', contentFormat: 50, observation: source };
  }, settings);
  const { client } = harness;
  return {
    harness,
    client,
    sources,
    requests,
    source: () => {
      const source = sources.at(-1);
      if (source === undefined) throw new Error('no registration has been accepted');
      return source;
    },
    register: async (confirmable = true, token = 'aa', who = client) => {
      who.request({ observe: 0, confirmable, token: Buffer.from(token, 'hex') });
      await harness.clock.advance(10);
    },
  };
}

/** What has arrived since the last look: `['CON 2.05 #1 {"x":1}']` */
export const told = (client: FakeClient) =>
  client.take().map((packet) => {
    const number = option(packet, 'Observe');
    return `${kind(packet)}${number === undefined ? '' : ` #${number}`}${packet.payload.length > 0 ? ` ${packet.payload}` : ''}`;
  });
