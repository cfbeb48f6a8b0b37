import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'protobufjs';
import { eventually } from './eventually';

/** Of opentelemetry-proto's trace service what the tests look at; all else is skipped when it is decoded. */
const { root } = parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { string message = 2; int32 code = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
  }
`);
const REQUEST = root.lookupType('Request');
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

type Attributes = Readonly<Record<string, unknown>>;

interface Wire {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WireAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}
interface WireAttribute {
  readonly key: string;
  readonly value: Record<string, unknown>;
}
interface WireSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly parentSpanId: Uint8Array;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly WireAttribute[];
  readonly links: readonly { readonly spanId: Uint8Array }[];
  readonly status: { readonly code: number } | null;
}

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly attributes: Attributes;
  /** Ids of the spans it is linked to. */
  readonly links: readonly string[];
  readonly failed: boolean;
  readonly resource: Attributes;
}

/** A collector of OpenTelemetry that takes traces by OTLP over HTTP, in protobuf. */
export class TraceCollector {
  readonly spans: CollectedSpan[] = [];
  /** All that came, as it came. */
  readonly bodies: Buffer[] = [];
  /** Of the last request. */
  headers: IncomingHttpHeaders = {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.headers = request.headers;
        this.#take(Buffer.concat(chunks));
        response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end();
      });
    });
  }

  static async start(): Promise<TraceCollector> {
    const collector = new TraceCollector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a gateway needs to send its traces here, soon. */
  get environment() {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: this.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
  }

  /** Resolves with the only span that fits, once it is there. */
  async span(name: string, fits: (span: CollectedSpan) => boolean = () => true): Promise<CollectedSpan> {
    const found = () => this.spans.filter((span) => span.name === name && fits(span));
    await eventually(() =>
      found().length > 0 ? undefined : `no span ${name} among ${this.spans.map((span) => span.name).join(', ')}`,
    );
    const [only, ...others] = found();
    if (!only || others.length > 0) throw new Error(`${found().length} spans ${name}`);
    return only;
  }

  /** The names from the first span of the trace to this one. */
  async path(span: CollectedSpan): Promise<string[]> {
    const names = [span.name];
    for (let child = span; child.parentSpanId !== ''; ) {
      const { parentSpanId, name } = child;
      const parent = (): CollectedSpan | undefined => this.spans.find(({ spanId }) => spanId === parentSpanId);
      await eventually(() => (parent() ? undefined : `the parent of ${name} never came`));
      child = parent() ?? span;
      names.unshift(child.name);
    }
    return names;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(body: Buffer): void {
    this.bodies.push(body);
    const { resourceSpans } = REQUEST.toObject(REQUEST.decode(body), {
      longs: Number,
      arrays: true,
      defaults: true,
    }) as Wire;
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: hex(span.parentSpanId),
          name: span.name,
          kind: KINDS[span.kind] ?? '',
          attributes: attributesOf(span.attributes),
          links: span.links.map(({ spanId }) => hex(spanId)),
          failed: span.status?.code === 2,
          resource: attributesOf(resource.attributes),
        });
      }
    }
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const attributesOf = (pairs: readonly WireAttribute[]): Attributes =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, valueIn(value)]));

/** The member that is set: of the others the decoder tells their defaults. */
function valueIn(value: Record<string, unknown>): unknown {
  return Object.values(value)[0];
}
