import { type Core, MetricsRegistry, makeCore } from '@tandem/core';
import { createCoapTransport } from './coap-transport';
import type { CoapTransport } from './serve';
import { RawClient } from './testing/raw-client';
import { type TestDevice, TestGateway, until } from './testing/test-gateway';

/** Two CoAP processes over one store. */
let gateway: TestGateway;
let other: Core;
let otherTransport: CoapTransport;
let here: RawClient;
let there: RawClient;
let device: TestDevice;
const token = Buffer.from('e1', 'hex');
const FEATURES = ['attributes', 'rpc'] as const;

beforeEach(async () => {
  gateway = await TestGateway.start({ settings: { COAP_TIMEOUT: '400' } });
  const { state, settings, clock, random, logger } = gateway.core;
  other = makeCore(state, settings, { clock, random, logger, metrics: new MetricsRegistry() });
  otherTransport = await createCoapTransport(other);
  device = await gateway.device();
  here = await gateway.client();
  there = await RawClient.open(otherTransport.port);
});
afterEach(async () => {
  await otherTransport.close();
  there.close();
  await gateway.stop();
});

const register = (client: RawClient, feature: (typeof FEATURES)[number]) =>
  client.ask({ path: `api/v1/${device.token}/${feature}`, observe: 0, token });
const observationsThere = () => other.metrics.value('tandem_coap_observations');

it.each(FEATURES)(
  'TV-297: a registration for %s at another process ends the one here by a final 2.02',
  async (feature) => {
    await register(here, feature);
    expect(await register(there, feature)).toMatchObject({ observe: 0 });
    expect(await here.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
    expect([gateway.observations, observationsThere()]).toEqual([0, 1]);
    await gateway.share(device, { x: '1' });
    await gateway.command(device);
    const expected = feature === 'rpc' ? '{"id":0,"method":"m","params":{}}' : '{"x":1}';
    expect(await there.notification(token)).toMatchObject({ observe: 1, text: expected });
    expect(await here.rest()).toEqual([]);
    expect(await register(here, feature)).toMatchObject({ observe: 0 });
    expect(await there.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined });
  },
);

it.each(FEATURES)('registrations for %s at the same time at both leave exactly one', async (feature) => {
  for (let round = 0; round < 10; round++) {
    await Promise.all([register(here, feature), register(there, feature)]);
    await until(() => gateway.observations + (observationsThere() ?? 0) === 1);
    await Promise.all([here.rest(), there.rest()]);
    expect(gateway.observations + (observationsThere() ?? 0)).toBe(1);
  }
});

it.each(FEATURES)('the same endpoint that registers for %s anew gets no final message', async (feature) => {
  await register(here, feature);
  expect(await register(here, feature)).toMatchObject({ observe: 1 });
  expect(await here.rest()).toEqual([]);
  expect(gateway.observations).toBe(1);
});

it.each([false, true])(
  'a command that was not acknowledged here goes to the one that takes over there (one-way: %s)',
  async (oneway) => {
    here.acknowledges = false;
    await register(here, 'rpc');
    const sent = await gateway.command(device, { oneway });
    const outstanding = await here.notification(token);
    await gateway.becomes(sent, 'SENT');
    await register(there, 'rpc');
    expect(await there.notification(token)).toMatchObject({ observe: 1, text: outstanding.text });
    await gateway.becomes(sent, 'DELIVERED');
    expect(await there.rest()).toEqual([]);
  },
);

it('a one-way command that is outstanding here is not sent by the other process as well', async () => {
  here.acknowledges = false;
  await register(here, 'rpc');
  const sent = await gateway.command(device, { oneway: true });
  const outstanding = await here.notification(token);
  await gateway.becomes(sent, 'SENT');
  const session = await other.auth.resolve(device.token);
  const polled = new Promise((resolve) => other.rpcDelivery.openPoll(session, 100, resolve));
  expect(await polled).toEqual({ kind: 'expired' });
  here.acknowledge(outstanding);
  await gateway.becomes(sent, 'DELIVERED');
});

describe('A device whose profile rules out CoAP', () => {
  const bothObserve = async () => {
    await register(here, 'rpc');
    await register(there, 'attributes');
  };
  const bothEnd = async () => {
    for (const client of [here, there]) {
      expect(await client.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
    }
    expect([gateway.observations, observationsThere()]).toEqual([0, 0]);
    await gateway.share(device, { x: '1' });
    await gateway.command(device);
    expect([await here.rest(), await there.rest()]).toEqual([[], []]);
  };
  const moveTo = (profile: { readonly id: string }) =>
    gateway.core.devices.update(gateway.tenantId, { id: device.id, name: 'd', deviceProfileId: profile.id });

  it('has its observations ended on all processes when it gets that profile', async () => {
    const others = [await gateway.profile({ transportType: 'COAP' }), await gateway.profile({ transportType: 'MQTT' })];
    await bothObserve();
    await moveTo(others[0] as (typeof others)[0]);
    await gateway.share(device, { x: '0' });
    expect(await there.notification(token)).toMatchObject({ text: '{"x":0}' });
    await moveTo(others[1] as (typeof others)[0]);
    await bothEnd();
  });

  it('has its observations ended when its profile becomes one for EFENTO devices', async () => {
    const profile = await gateway.profile({ transportType: 'COAP' });
    await moveTo(profile);
    await bothObserve();
    const transportConfiguration = { coapDeviceTypeConfiguration: { coapDeviceType: 'EFENTO' } };
    await gateway.core.profiles.save(gateway.tenantId, {
      id: profile.id,
      name: profile.name,
      type: 'DEFAULT',
      transportType: 'COAP',
      profileData: JSON.stringify({ transportConfiguration }),
    });
    await bothEnd();
  });
});
