import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { dtlsChannel } from '../dtls/dtls-channel';
import { HandshakeLoad } from '../dtls/handshake-load';
import { CoapLoad } from './coap-load';
import type { GeneratorConfig, RunRequest, RunResult } from './generator-messages';
import { HttpLoad } from './http-load';
import { getRequest, telemetryRequest } from './http-requests';
import type { Load } from './load';
import { LoadRecorder } from './load-recorder';
import { udpChannel } from './peer-channel';
import { TELEMETRY_BODY } from './telemetry-body';

/** RFC 7252 section 4.8: ACK_TIMEOUT. */
const ACK_TIMEOUT_MS = 2000;

const now = (): number => performance.now() * 1000;

export interface PreparedLoad {
  readonly load: Load;
  readonly recorder: LoadRecorder;
}

export function prepareLoad(config: GeneratorConfig): PreparedLoad {
  const recorder = new LoadRecorder();
  return { load: loadOf(config, recorder), recorder };
}

function loadOf(config: GeneratorConfig, recorder: LoadRecorder): Load {
  const { host, port } = config;
  const shared = { host, port, recorder, now };
  switch (config.load) {
    case 'http': {
      const requests = config.tokens.map((token) => telemetryRequest(host, port, token, TELEMETRY_BODY));
      const requestOf = (connection: number): Buffer => item(requests, connection);
      return new HttpLoad({ ...shared, connections: config.connections, requestOf });
    }
    case 'reads': {
      const requests = config.paths.map((path) => getRequest(host, port, path, config.authorization));
      let sent = 0;
      const requestOf = (): Buffer => {
        sent += 1;
        return item(requests, sent - 1);
      };
      return new HttpLoad({ ...shared, connections: config.connections, requestOf });
    }
    case 'coap':
    case 'coaps': {
      const { tokens, peers, window } = config;
      const open = config.load === 'coap' ? udpChannel(host, port) : dtlsChannel(host, port);
      const sending = { tokens, body: TELEMETRY_BODY, ackTimeoutMs: ACK_TIMEOUT_MS, random: Math.random };
      return new CoapLoad({ recorder, now, ...sending, open, peers, window });
    }
    case 'handshakes':
      return new HandshakeLoad({ ...shared, ...config });
  }
}

/** Of a list that starts again after its end. */
function item(requests: readonly Buffer[], index: number): Buffer {
  const request = requests[index % requests.length];
  if (request === undefined) throw new RangeError('a load without requests');
  return request;
}

/** One run: ramp, counted part, drain. The counters of the recorder go on from run to run. */
export async function runLoad({ load, recorder }: PreparedLoad, request: RunRequest): Promise<RunResult> {
  const answeredBefore = recorder.answered;
  const retransmittedBefore = recorder.retransmissions;
  await load.start();
  await delay(request.rampSeconds * 1000);

  recorder.latency.clear();
  const cpuBefore = process.cpuUsage();
  const countedFrom = now();
  await delay(request.seconds * 1000);
  const micros = now() - countedFrom;
  const cpu = process.cpuUsage(cpuBefore);
  const counted = {
    requestsPerSecond: recorder.latency.count / (micros / 1_000_000),
    p50Micros: recorder.latency.percentile(0.5),
    p99Micros: recorder.latency.percentile(0.99),
    generatorBusy: (cpu.user + cpu.system) / micros,
  };

  await load.stop();
  return {
    ...counted,
    answered: recorder.answered - answeredBefore,
    failures: recorder.failures,
    retransmissions: recorder.retransmissions - retransmittedBefore,
  };
}
