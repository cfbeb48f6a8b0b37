import { generate, type Packet, parse } from 'coap-packet';
import { acknowledgementOf, classifyReply, dottedCode, readdress, telemetryDatagram } from './coap-message';

const MID = 0x1234;
const TOKEN = 0xfedcba98;
const reply = (packet: Packet): Buffer =>
  generate({ messageId: MID, token: Buffer.from('fedcba98', 'hex'), code: '2.01', ...packet });

describe('the prepared telemetry datagram', () => {
  it('is a confirmable POST to the telemetry path of its device once it has an id and a token', () => {
    const datagram = telemetryDatagram('benchdevice', '{"a":1}');
    readdress(datagram, MID, TOKEN);
    const packet = parse(datagram);
    expect(packet).toMatchObject({ code: '0.02', confirmable: true, messageId: MID });
    expect(packet.token.toString('hex')).toBe('fedcba98');
    expect(packet.options.filter(({ name }) => name === 'Uri-Path').map(({ value }) => value.toString())).toEqual([
      'api',
      'v1',
      'benchdevice',
      'telemetry',
    ]);
    expect(packet.payload.toString()).toBe('{"a":1}');
  });
});

describe('a datagram from the server', () => {
  it.each<[string, Buffer, string]>([
    ['an ACK with id and token of the request', reply({ ack: true }), 'piggybacked'],
    ['a CON with the token and an id of the server', reply({ confirmable: true, messageId: 9 }), 'separate'],
    ['a NON with the token', reply({ messageId: 9 }), 'separate'],
    ['an empty ACK', Buffer.from('60001234', 'hex'), 'acknowledged'],
    ['a RST', Buffer.from('70001234', 'hex'), 'reset'],
    ['an ACK of an earlier request', reply({ ack: true, messageId: MID - 1 }), 'stale'],
    ['an ACK with another token', reply({ ack: true, token: Buffer.from('00000001', 'hex') }), 'stale'],
    ['an ACK with a shorter token', reply({ ack: true, token: Buffer.from('fedc', 'hex') }), 'stale'],
    ['an empty ACK of an earlier request', Buffer.from('60001233', 'hex'), 'stale'],
    ['a RST of an earlier request', Buffer.from('70001233', 'hex'), 'stale'],
    ['three bytes', Buffer.from('604112', 'hex'), 'stale'],
    ['another protocol version', Buffer.from('24411234fedcba98', 'hex'), 'stale'],
    ['a token that is cut off', Buffer.from('64411234fedc', 'hex'), 'stale'],
  ])('that is %s is told apart', (_, datagram, kind) => {
    expect(classifyReply(datagram, MID, TOKEN)).toBe(kind);
  });

  it('is acknowledged by its own id when it is confirmable, and not otherwise', () => {
    expect(acknowledgementOf(reply({ confirmable: true, messageId: 0xabcd }))?.toString('hex')).toBe('6000abcd');
    expect(acknowledgementOf(reply({ ack: true }))).toBeUndefined();
    expect(acknowledgementOf(reply({}))).toBeUndefined();
  });

  it('has its code written with a dot', () => {
    expect([0x41, 0x45, 0x8f, 0xa3].map(dottedCode)).toEqual(['2.01', '2.05', '4.15', '5.03']);
  });
});
