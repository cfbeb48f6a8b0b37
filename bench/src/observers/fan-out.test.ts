import { FailedRun } from '../contestant';
import { assertAllTold } from './fan-out';

const told = (notified: number, surplus: number) => ({ notified, surplus, lastMicros: 1 });

describe('a fan-out', () => {
  it('counts when every observer was told once', () => {
    expect(() => assertAllTold(told(10, 0), 10, 0)).not.toThrow();
  });

  it('counts when the gateway repeated what it knew of no acknowledgement: that is judged elsewhere', () => {
    expect(() => assertAllTold(told(10, 2), 10, 2)).not.toThrow();
  });

  it('fails with one observer who was not told', () => {
    expect(() => assertAllTold(told(9, 0), 10, 0)).toThrow(
      new FailedRun('fan-out: 9 of 10 observers were told what was written'),
    );
  });

  it('fails with a notification too many', () => {
    expect(() => assertAllTold(told(10, 1), 10, 0)).toThrow(
      'fan-out: 1 notifications too many, with 0 retransmissions',
    );
  });
});
