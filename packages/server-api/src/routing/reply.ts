/** What a handler answers: the router writes it. */
export interface Reply {
  readonly status: number;
  readonly contentType?: string;
  /** Further ones; they go before those that every answer has. */
  readonly headers?: Readonly<Record<string, string | number>>;
  /** In pieces where it may be too long to be held at once. */
  readonly body?: string | AsyncIterable<string | Buffer>;
}

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain;charset=UTF-8';

/** @param text JSON text: values keep their own (`42.0` stays `42.0`, server contract 1.4) */
export const jsonText = (text: string | AsyncIterable<string>): Reply => ({
  status: 200,
  contentType: JSON_TYPE,
  body: text,
});

/** For what holds no values of devices. */
export const json = (value: unknown): Reply => jsonText(JSON.stringify(value));

export const empty = (status = 200): Reply => ({ status });

export const seeOther = (location: string): Reply => ({ status: 303, headers: { Location: location } });

export const plainText = (status: number, text: string): Reply => ({ status, contentType: TEXT_TYPE, body: text });
