import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyInstance, type Dicer } from '@fastify/busboy';
import { TandemError } from '@tandem/core';
import { bodyTooLarge, refuseCompressed } from './body';

/** A body of several parts of which one is a file, taken as a stream: it may be longer than what fits the memory. */
export interface FileReader {
  readonly media: 'file';
  /** Name of the part. */
  readonly part: string;
  /** JSON Schema of the body, for those who want to know. */
  readonly schema: object;
  readonly contentType: string;
}

export const fileReader = (part: string): FileReader => ({
  media: 'file',
  part,
  schema: {
    type: 'object',
    required: [part],
    properties: { [part]: { type: 'string', contentMediaType: 'application/octet-stream' } },
  },
  contentType: 'multipart/form-data',
});

/** A file as it comes in. */
export interface FilePart {
  /** Without a path; empty where the sender gives none. */
  readonly fileName: string;
  /** As the sender writes it, with its parameters. */
  readonly contentType: string;
  /**
   * Ends when the whole body has come, and was in order. The sender is held back as long as nothing is read. Throws
   * TandemError when the body is broken off, malformed or too long.
   */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface TakeOptions {
  readonly part: string;
  /** Bytes of the whole body. */
  readonly limit: number;
  /** Its reason is what reading the file throws. */
  readonly signal: AbortSignal;
}

const OCTETS = 'application/octet-stream';
/** Of what comes beside the file nothing is used, and little is kept. */
const LIMITS = { fields: 16, fieldSize: 65_536, parts: 32, headerPairs: 64, headerSize: 16_384 };

/**
 * Gives the file to `take` while it comes in.
 * @returns what `take` returns
 * @throws TandemError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, BAD_REQUEST; and what `take` throws, after which the rest of
 * the body is the caller's business
 */
export async function takeFile<T>(
  request: IncomingMessage,
  { part, limit, signal }: TakeOptions,
  take: (file: FilePart) => Promise<T>,
): Promise<T> {
  refuseCompressed(request);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw bodyTooLarge(limit);
  const parser = parserOf(request);
  const body = new IncomingBody(request, parser, limit, signal);
  return new Promise((resolve, reject) => {
    let taken: Promise<T> | undefined;
    body.whole.catch((error) => {
      if (!taken) reject(error);
    });
    const partType = partTypes(parser);
    parser.on('file', (name, stream, fileName) => {
      // A stream that nobody reads any more may still fail.
      stream.on('error', () => body.fail(malformed()));
      if (taken || name !== part) {
        stream.resume();
        return;
      }
      taken = take({ fileName: fileName ?? '', contentType: partType() || OCTETS, bytes: body.read(stream) });
      taken.then(resolve, (error) => {
        body.fail(error);
        reject(error);
      });
    });
    parser.once('finish', () => {
      if (taken) body.complete();
      else body.fail(new TandemError('BAD_REQUEST', { message: `Required part '${part}' is not present.` }));
    });
    body.start();
  });
}

/**
 * Busboy tells of a Content-Type without its parameters, and of `text/plain` where there is none. The parser that it has within,
 * Dicer, has the header as it came, just before there is a 'file'.
 * @returns gives the type of the part that was begun last; empty where it has none
 */
function partTypes(parser: BusboyInstance): () => string {
  const { parser: parts } = (parser as unknown as { _parser: { parser: Dicer } })._parser;
  let type = '';
  parts.prependListener('part', (part) => {
    part.prependListener('header', (header: { readonly 'content-type'?: readonly string[] }) => {
      type = header['content-type']?.[0]?.trim() ?? '';
    });
  });
  return () => type;
}

/** One body on its way through the parser, until it is complete or has failed. */
class IncomingBody {
  #size = 0;
  #over = false;
  #stream: BusboyFileStream | undefined;
  #succeed: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  /** Resolves when the body is complete; rejects with what is wrong. */
  readonly whole = new Promise<void>((resolve, reject) => {
    this.#succeed = resolve;
    this.#reject = reject;
  });

  constructor(
    private readonly request: IncomingMessage,
    private readonly parser: BusboyInstance,
    private readonly limit: number,
    private readonly signal: AbortSignal,
  ) {}

  start(): void {
    if (this.signal.aborted) {
      this.fail(this.signal.reason);
      return;
    }
    this.signal.addEventListener('abort', this.#onAbort);
    this.request.on('data', this.#onData).once('close', this.#onClose).once('error', this.#onClose);
    this.parser.on('error', () => this.fail(malformed()));
    this.request.pipe(this.parser);
  }

  complete(): void {
    this.#end();
    this.#succeed();
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.request.unpipe(this.parser);
    this.#reject(error);
    this.#stream?.destroy();
  }

  /** The bytes of the file, which ends with the body: also when nobody has begun to read it by then. */
  read(stream: BusboyFileStream): AsyncIterable<Uint8Array> {
    this.#stream = stream;
    return this.#bytes(stream);
  }

  async *#bytes(stream: BusboyFileStream): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } catch (error) {
      // It was destroyed by what is wrong with the body.
      await this.whole;
      throw error;
    }
    await this.whole;
  }

  #end(): void {
    this.#over = true;
    this.signal.removeEventListener('abort', this.#onAbort);
    this.request.off('data', this.#onData).off('close', this.#onClose).off('error', this.#onClose);
  }

  readonly #onAbort = (): void => this.fail(this.signal.reason);

  readonly #onClose = (): void => {
    if (!this.request.complete) this.fail(new TandemError('BAD_REQUEST', { message: 'The body is incomplete' }));
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#size += chunk.length;
    if (this.#size > this.limit) this.fail(bodyTooLarge(this.limit));
  };
}

/** @throws TandemError UNSUPPORTED_MEDIA_TYPE for another body than one of several parts */
function parserOf(request: IncomingMessage): BusboyInstance {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw new TandemError('UNSUPPORTED_MEDIA_TYPE', {
      message: `Content-Type '${type.slice(0, 80)}' is not supported`,
    });
  }
  try {
    return new Busboy({ headers: { ...request.headers, 'content-type': type }, limits: LIMITS });
  } catch {
    throw malformed();
  }
}

const malformed = () => new TandemError('BAD_REQUEST', { message: 'The multipart body is malformed' });
