import type { KeyValue } from '../value';

/** What the domain has to say to a device, before it is bytes. */
export type DeviceMessage =
  /** The answer to a read (contract 1.3.1). */
  | { readonly kind: 'attributes'; readonly client: readonly KeyValue[]; readonly shared: readonly KeyValue[] }
  /** Shared attributes that changed, and the first answer to their observer (contract 1.5.3, 2.6.2). */
  | { readonly kind: 'update'; readonly updated: readonly KeyValue[]; readonly deleted: readonly string[] }
  /** A server-side RPC (contract 3.8). `params` is JSON text. */
  | { readonly kind: 'command'; readonly id: number; readonly method: string; readonly params: string }
  /** The answer to a client-side RPC, as JSON text. */
  | { readonly kind: 'reply'; readonly json: string };
