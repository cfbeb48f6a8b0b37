import { callerAddress } from '@tandem/core';
import type { Peer } from './endpoint/index';

/** The address of a peer, in a form of which nobody has many. There are no proxies to be believed between it and us. */
export const sourceAddress = ({ address }: Pick<Peer, 'address'>): string =>
  callerAddress({ remoteAddress: address, forwardedFor: '' }, []);
