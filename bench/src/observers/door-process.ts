import { setImmediate } from 'node:timers/promises';
import { createCoapTransport } from '@tandem/coap-transport';
import {
  type Core,
  longValue,
  MetricsRegistry,
  makeCore,
  readSettings,
  silentLogger,
  systemClock,
  systemRandom,
} from '@tandem/core';
import { boundsOf, openEmbeddedState } from '@tandem/state-embedded';
import { concurrently } from '../concurrently';
import { answerQuestions } from './answering-process';
import { type DoorQuestion, type DoorWrites, OBSERVED_KEY } from './door-messages';
import { sharedMicros } from './shared-clock';

/** Under way at the same time: what a crowd of eager callers of the server API would have. The store commits them together. */
const WRITES_AT_ONCE = 1_000;
const ADMINISTRATOR = 'bench@example.org';

/**
 * The gateway without its HTTP doors: embedded store, domain and CoAP door, composed as `tandem serve` does; what it
 * would be told through the server API it is told by the bench.
 */
async function compose(): Promise<Core> {
  const settings = readSettings(process.env);
  const metrics = new MetricsRegistry();
  const platform = { clock: systemClock, random: systemRandom, logger: silentLogger, metrics };
  const state = await openEmbeddedState({
    folder: settings.TANDEM_DATA_DIR,
    durability: settings.TANDEM_DURABILITY,
    ...boundsOf(settings),
    ...platform,
  });
  const core = makeCore(state, settings, platform);
  await core.accounts.ensureTenantAdmin(ADMINISTRATOR, 'bench', 'Bench');
  const report = setInterval(() => void core.connectivity.flush(), settings.TB_TRANSPORT_SESSIONS_REPORT_TIMEOUT);
  process.once('SIGTERM', () => {
    clearInterval(report);
    state.close().finally(() => process.exit(0));
  });
  return core;
}

const composed = compose();

answerQuestions<DoorQuestion>(async (question) => {
  const core = await composed;
  switch (question.kind) {
    case 'create':
      return create(core, question.tokens);
    case 'serve':
      return (await createCoapTransport(core)).port;
    case 'write':
      return write(core, question.tokens, question.value);
    case 'metric':
      return core.metrics.value(question.name);
  }
});

async function create(core: Core, tokens: readonly string[]): Promise<void> {
  const administrator = await core.state.accounts.findUserByEmail(ADMINISTRATOR);
  if (administrator === undefined) throw new Error('the administrator of the bench is gone');
  const { tenantId } = administrator;
  await concurrently(tokens, WRITES_AT_ONCE, async (token) => {
    const { id } = await core.devices.create(tenantId, { name: token }, { credentialsId: token });
    await core.attributes.saveFromServer(id, 'SHARED', [{ key: OBSERVED_KEY, value: longValue(0) }]);
  });
}

async function write(core: Core, tokens: readonly string[], value: number): Promise<DoorWrites> {
  const ids = await Promise.all(tokens.map(async (token) => (await core.auth.resolve(token)).deviceId));
  await setImmediate();
  const begun = sharedMicros();
  await concurrently(ids, WRITES_AT_ONCE, (id) =>
    core.attributes.saveFromServer(id, 'SHARED', [{ key: OBSERVED_KEY, value: longValue(value) }]),
  );
  return { begun, stored: sharedMicros() };
}
