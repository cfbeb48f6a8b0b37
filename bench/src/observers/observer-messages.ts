import type { ObserverSetOptions } from './observer-set';

export type ObserverQuestion =
  | { readonly kind: 'prepare'; readonly options: ObserverSetOptions }
  | { readonly kind: 'read'; readonly times: number }
  | { readonly kind: 'register' }
  | { readonly kind: 'expect'; readonly payload: string }
  /** Answered with `Notified`. */
  | { readonly kind: 'outcome' };
