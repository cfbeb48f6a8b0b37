import { generate, type Packet, parse } from 'coap-packet';
import { attributesDatagram, isNotification, isRegistered } from './observer-message';

const MID = 0x1234;
const TOKEN = 0xfedcba98;
const observe = (...number: number[]) => ({ name: 'Observe' as const, value: Buffer.from(number) });
const message = (packet: Packet): Buffer =>
  generate({ messageId: MID, token: Buffer.from('fedcba98', 'hex'), code: '2.05', ...packet });

describe('the request of an observer', () => {
  it.each([
    [true, ['']],
    [false, []],
  ])('is a confirmable GET of the attributes of its device; registering: %p', (registering, observes) => {
    const packet = parse(attributesDatagram('benchdevice', registering, MID, TOKEN));
    const values = (wanted: string) =>
      packet.options.filter(({ name }) => name === wanted).map(({ value }) => value.toString());
    expect(packet).toMatchObject({ code: '0.01', confirmable: true, messageId: MID });
    expect(packet.token.toString('hex')).toBe('fedcba98');
    expect(values('Uri-Path')).toEqual(['api', 'v1', 'benchdevice', 'attributes']);
    expect(values('Observe')).toEqual(observes);
  });
});

describe('the answer to a registration', () => {
  it.each<[string, Packet, boolean]>([
    ['with an Observe option', { ack: true, options: [observe(7)] }, true],
    ['with an Observe option that says 0', { ack: true, options: [observe()] }, true],
    [
      'with an Observe option behind an ETag',
      { ack: true, options: [{ name: 'ETag', value: Buffer.of(1) }, observe(7)] },
      true,
    ],
    ['that is a plain one', { ack: true, options: [{ name: 'Content-Format', value: Buffer.of(50) }] }, false],
    ['that has nothing but a payload', { ack: true, payload: Buffer.from('{}') }, false],
    ['that is a refusal', { ack: true, code: '5.03', options: [observe(7)] }, false],
  ])('%s: registered or not', (_, packet, registered) => {
    expect(isRegistered(message(packet))).toBe(registered);
  });
});

describe('a datagram to an observer', () => {
  it.each<[string, Packet, boolean]>([
    ['a confirmable 2.05 with its token', { confirmable: true }, true],
    ['the answer to its registration', { ack: true }, false],
    ['a non-confirmable one: the type is that of the registration', {}, false],
    ['one with a token that is not its', { confirmable: true, token: Buffer.from('fedcba99', 'hex') }, false],
    ['one with a shorter token', { confirmable: true, token: Buffer.from('fedc', 'hex') }, false],
    ['the end of its observation', { confirmable: true, code: '5.03' }, false],
  ])('%s: a notification or not', (_, packet, notification) => {
    expect(isNotification(message(packet), TOKEN)).toBe(notification);
  });

  it('is no notification when it is too short for a token', () => {
    expect(isNotification(Buffer.of(0x44, 0x45, 0, 1), TOKEN)).toBe(false);
  });
});
