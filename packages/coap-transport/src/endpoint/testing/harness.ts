import { type LabelsOf, type MetricName, MetricsRegistry } from '@tandem/core';
import type { RequestHandler } from '../blockwise';
import { CoapEndpoint } from '../endpoint';
import type { CoapRequest } from '../request';
import type { EndpointSettings } from '../settings';
import { FakeClient } from './fake-client';
import { FakeClock } from './fake-clock';
import { FakeNetwork } from './fake-network';
import { FakeRandom } from './fake-random';
import { type LogLine, recordingLogger } from './recording-logger';

type NameOf<N> = N extends `tandem_coap_${infer Rest}` ? Rest : never;
type CoapMetricName = NameOf<MetricName>;

/** An endpoint and a client on a fake network and a fake clock. */
export class Harness {
  readonly clock = new FakeClock();
  readonly random = new FakeRandom(7);
  readonly network = new FakeNetwork(this.clock, new FakeRandom(11));
  readonly metrics = new MetricsRegistry();
  readonly log: LogLine[] = [];
  readonly endpoint: CoapEndpoint;
  readonly server = this.network.bind('10.0.0.254', 5683);
  readonly client: FakeClient;
  /** Whose credentials a request has. */
  ownerOf = (request: CoapRequest): string => request.peer.key;

  /** `strangers`: nobody has credentials. */
  constructor(
    handler: RequestHandler,
    settings: Partial<EndpointSettings> = {},
    public strangers = false,
  ) {
    const { clock, random, metrics } = this;
    this.endpoint = new CoapEndpoint({
      socket: this.server,
      handler: (request) => {
        if (!this.strangers) request.authenticate(this.ownerOf(request));
        return handler(request);
      },
      admit: (request) => {
        if (!this.strangers) request.authenticate(this.ownerOf(request));
        return undefined;
      },
      mayContinue: (request) => {
        if (!this.strangers) request.authenticate(this.ownerOf(request));
        return true;
      },
      settings,
      clock,
      random,
      logger: recordingLogger(this.log, false),
      metrics,
      soon: clock.soon,
    });
    this.client = new FakeClient(this.network, this.endpoint.local);
  }

  another(address = '10.0.0.2', port = 40_000): FakeClient {
    return new FakeClient(this.network, this.endpoint.local, address, port);
  }

  /** A metric by the part of its name after the prefix: of all its samples with these labels. */
  metric<N extends CoapMetricName>(name: N, labels?: Partial<LabelsOf<`tandem_coap_${N}`>>): number {
    const reading = this.metrics.value(`tandem_coap_${name}`, labels);
    if (reading === undefined) throw new Error(`no metric ${name}`);
    return reading;
  }
}
