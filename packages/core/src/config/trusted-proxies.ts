import { type IpNetwork, parseIpNetwork } from '../platform/ip-address';
import type { Setting } from './setting';

/** A comma list of addresses and networks. */
export const trustedProxies = (doc: string): Setting<readonly IpNetwork[]> => ({
  type: 'comma list of IP addresses and networks (10.0.0.0/8)',
  default: '',
  doc,
  parse(value) {
    return value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => {
        const network = parseIpNetwork(item);
        if (!network) throw new Error(`must be a comma list of IP addresses and networks`);
        return network;
      });
  },
});
