import { MetricsRegistry } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { ProvisionedPeers } from './provisioned-peers';

describe('Peers that were provisioned', () => {
  const clock = new FakeClock();
  const metrics = new MetricsRegistry();
  const peers = new ProvisionedPeers(2, clock, metrics);
  const gauge = () => metrics.value('tandem_coap_provisioned_peers');
  const known = () => ['a', 'b', 'c'].filter((peer) => peers.deviceOf(peer) === `device of ${peer}`);

  it('are so many and no more, and for as long as their answer is kept', () => {
    for (const peer of ['a', 'b', 'a', 'c']) {
      peers.add(peer, `device of ${peer}`);
      clock.advance(1_000);
    }
    expect([known(), gauge()]).toEqual([['a', 'c'], 2]);
    clock.advance(297_500);
    expect(gauge()).toBe(2);
    clock.advance(1_000);
    expect([known(), gauge()]).toEqual([['c'], 1]);
    clock.advance(1_000);
    expect([known(), gauge()]).toEqual([[], 0]);
  });
});
