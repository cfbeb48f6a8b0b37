/** What a call answers when it succeeds. */
export type Answer =
  | { readonly kind: 'empty' }
  /** JSON of this schema (JSON Schema 2020-12). A schema with a `title` is described once, by that name. */
  | { readonly kind: 'json'; readonly schema: object }
  | { readonly kind: 'text' }
  /** Bytes of any media type. */
  | { readonly kind: 'bytes' }
  /** Sends the browser elsewhere. */
  | { readonly kind: 'redirect' };

export const EMPTY: Answer = { kind: 'empty' };
export const TEXT: Answer = { kind: 'text' };
export const jsonAnswer = (schema: object): Answer => ({ kind: 'json', schema });
