import { METRICS } from '@tandem/core';
import type { DropReason } from './guard';
import { kind } from './testing/fake-client';
import { Harness } from './testing/harness';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const handled: string[] = [];
const start = () => {
  handled.length = 0;
  return new Harness((request) => {
    handled.push(request.method);
    return { code: '2.05', payload: 'x' };
  });
};

async function answers(datagram: Buffer): Promise<string[]> {
  const harness = start();
  harness.client.send(datagram);
  await harness.clock.advance(10_000);
  return harness.client.received.map(kind);
}

describe('what is not a message (RFC 7252 sections 3 and 4)', () => {
  it.each([
    ['a datagram of no bytes', ''],
    ['a datagram of three bytes', '400100'],
    ['version 0 (section 3: silently ignored)', '00010001b161'],
    ['version 2', '80010001b161'],
    ['a NON with a token length of 9', '5901000100112233445566778899b161'],
    ['a NON that ends within its token', '5401000100'],
    ['a NON whose option runs past the end', '50010001b56162'],
    ['a NON whose extended option length is missing', '50010001bd'],
    ['a NON whose two-byte option length is cut', '50010001be00'],
    ['a NON with option delta 15', '50010001f161'],
    ['a NON with option length 15', '50010001bf61'],
    ['a NON with a payload marker and no payload', '50010001b161ff'],
    ['a NON of code class 1', '50210001'],
    ['a NON of code class 3', '50610001'],
    ['a NON of code class 7', '50e10001'],
    ['an empty NON', '50000001'],
    ['an empty NON with bytes behind it', '50000001ff61'],
    ['an Acknowledgement that matches nothing', '60000001'],
    ['a Reset that matches nothing', '70000001'],
    ['a Reset that is not empty', '70450001'],
    ['an Acknowledgement with a response nobody asked for', '60450001ff61'],
    ['a NON response nobody asked for', '50450001ff61'],
    ['a NON with an unknown critical option (section 5.4.1)', '51010001 01 b161 e1 25f7 01'],
  ])('%s gets no answer and reaches no handler', async (_name, bytes) => {
    expect(await answers(hex(bytes))).toEqual([]);
    expect(handled).toEqual([]);
  });

  it.each([
    ['a token length of 15', '4f01123400'],
    ['an option that runs past the end', '40011234b561'],
    ['an empty payload after the marker', '40011234b161ff'],
    ['a reserved code class', '40c11234'],
    ['an Empty message with bytes behind it', '4000123461'],
    ['an Empty message with a token', '4100123461'],
    ['a response nobody asked for', '41451234ff61'],
    ['a ping', '40001234'],
    ['more bytes than the largest message', `40011234b161ff${'61'.repeat(1300)}`],
  ])('a CON with %s is rejected by a Reset of four bytes (sections 4.2, 4.3)', async (_name, bytes) => {
    const harness = start();
    harness.client.send(hex(bytes));
    await harness.clock.advance(10);
    expect(harness.client.raw.map((datagram) => datagram.toString('hex'))).toEqual(['70001234']);
    expect(handled).toEqual([]);
  });

  it('a datagram from UDP port 0 is dropped, since nothing can be sent there', async () => {
    const harness = start();
    const stranger = harness.another('10.0.0.9', 0);
    stranger.request({});
    await harness.clock.advance(10);
    expect(handled).toEqual([]);
    expect(stranger.received).toEqual([]);
    expect(harness.metric('dropped_total', { reason: 'source_port_zero' })).toBe(1);
  });

  it('every drop is counted by its reason', async () => {
    const harness = start();
    harness.client.send(hex('80010001b161'));
    harness.client.send(hex('50010001b161ff'));
    harness.client.send(hex('70000001'));
    await harness.clock.advance(10);
    const reasons = Object.keys(METRICS.tandem_coap_dropped_total.labels.reason) as DropReason[];
    const counted = reasons.filter((reason) => harness.metric('dropped_total', { reason }) > 0);
    expect(counted).toEqual(['version', 'empty_payload', 'stray_reset']);
  });
});

describe('what a request may carry (RFC 7252 section 5.4)', () => {
  it.each([
    ['an unknown critical option', '4101123401 b161 e1 25f7 01', 'ACK 4.02'],
    ['two Accept options (5.4.5)', '4101123401 b161 61 32 01 32', 'ACK 4.02'],
    ['an Accept of three bytes (5.4.3)', '4101123401 b161 63 000032', 'ACK 4.02'],
    ['Proxy-Uri (5.10.2)', '4101123401 d3 16 61 62 63', 'ACK 5.05'],
    ['Proxy-Scheme', '4101123401 d4 1a 636f6170', 'ACK 5.05'],
    ['the unknown method 0.31', '411f123401 b161', 'ACK 4.05'],
    ['the reserved block size 7 (RFC 7959 section 2.2)', '4102123401 b161 d1 03 07 ff 61', 'ACK 4.00'],
  ])('%s is refused before the handler', async (_name, bytes, answer) => {
    expect(await answers(hex(bytes))).toEqual([answer]);
    expect(handled).toEqual([]);
  });

  it('elective options that are unknown, Uri-Host and Uri-Port are no obstacle', async () => {
    // Uri-Host, Uri-Port, Uri-Path, elective 2052
    expect(await answers(hex('4101123401 3168 421633 4161 e1 06ec 01'))).toEqual(['ACK 2.05']);
  });

  it.each([
    ['If-Match', '4101123401 1101 a161'],
    ['If-None-Match', '4101123401 50 6161'],
  ])('5.4.1: %s is critical and not supported: 4.02, and nothing is done', async (_name, bytes) => {
    expect(await answers(hex(bytes))).toEqual(['ACK 4.02']);
    expect(handled).toEqual([]);
  });

  it('the handler sees path segments and queries as they are, also with slashes, in UTF-8 and empty', async () => {
    const seen: unknown[] = [];
    const harness = new Harness((request) => {
      seen.push([request.method, request.path, request.query, request.accept, request.contentFormat]);
      return { code: '2.01' };
    });
    const path = ['api/v1/x', '..', 'süß', '', 'p'.repeat(200)];
    harness.client.request({
      code: 'POST',
      path,
      query: ['a=b&c', '', 'k'.repeat(255)],
      options: [
        { name: 'Accept', value: Buffer.from([50]) },
        { name: 'Content-Format', value: Buffer.alloc(0) },
      ],
    });
    await harness.clock.advance(10);
    expect(seen).toEqual([['POST', path, ['a=b&c', '', 'k'.repeat(255)], 50, 0]]);
  });

  it('a longer, a shorter and a different path after each other are told apart', async () => {
    const seen: string[] = [];
    const harness = new Harness((request) => {
      seen.push(request.path.join('/'));
      return { code: '2.01' };
    });
    for (const path of [['a', 'b'], ['a', 'b', 'c'], ['a', 'b'], ['a'], ['a', 'x'], ['a', 'x'], []]) {
      harness.client.request({ path });
      await harness.clock.advance(10);
    }
    expect(seen).toEqual(['a/b', 'a/b/c', 'a/b', 'a', 'a/x', 'a/x', '']);
  });

  it('Observe on a POST is ignored', async () => {
    const seen: unknown[] = [];
    const harness = new Harness((request) => {
      seen.push(request.observe);
      return { code: '2.01' };
    });
    harness.client.request({ code: 'POST', observe: 0 });
    await harness.clock.advance(10);
    expect(seen).toEqual([undefined]);
  });
});
