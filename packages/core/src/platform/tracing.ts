import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { spanContextOf, traceparentOf } from './traceparent';

const state = { on: false };

/**
 * Whether spans go anywhere. Where they do not, which is the default, this look is all that tracing costs: whoever makes a span
 * looks here first. The API alone would make objects for nobody.
 */
export const tracing: { readonly on: boolean } = state;

/** To be called with true once a provider and a context manager are registered at the API. */
export function switchTracing(on: boolean): void {
  state.on = on;
}

export interface SpanStart {
  readonly name: string;
  readonly kind: keyof typeof SpanKind;
  /** Never a token, a key, a value or a path as it came: names of ours, and ids. */
  readonly attributes: Attributes;
  /** A `traceparent`, of whatever process; undefined: a trace of its own. Left out: what runs here now. */
  readonly parent?: string | undefined;
  /** Others it has to do with: each a `traceparent`. */
  readonly links?: readonly string[];
}

/** A span that has begun. To be made only while `tracing.on`. */
export class RunningSpan {
  readonly #span: Span;
  readonly #context: Context;

  constructor(start: SpanStart) {
    const { name, kind, attributes, links = [] } = start;
    const parent = 'parent' in start ? contextOf(start.parent) : context.active();
    this.#span = trace.getTracer('tandem').startSpan(
      name,
      {
        kind: SpanKind[kind],
        attributes,
        links: links.flatMap((text) => spanContextOf(text) ?? []).map((named) => ({ context: named })),
      },
      parent,
    );
    this.#context = trace.setSpan(parent, this.#span);
  }

  /** What `step` does, also later and by promises, happens within this span. */
  run<T>(step: () => T): T {
    return context.with(this.#context, step);
  }

  set(name: string, value: string | number | boolean): void {
    this.#span.setAttribute(name, value);
  }

  /** @param error what went wrong, in the words of a table of ours */
  end(error?: string): void {
    if (error !== undefined) {
      this.#span.setAttribute('error.type', error);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

/** Runs a step within a span of its own. To be called only while `tracing.on`. */
export function within<T>(start: SpanStart, step: () => Promise<T>): Promise<T> {
  const span = new RunningSpan(start);
  return endedBy(span, span.run(step));
}

/** The outcome as it is; it ends the span. */
export function endedBy<T>(span: RunningSpan, outcome: Promise<T>): Promise<T> {
  return outcome.then(
    (result) => {
      span.end();
      return result;
    },
    (error) => {
      span.end(nameOf(error));
      throw error;
    },
  );
}

/**
 * The `traceparent` of what runs now, to be kept with what it writes; undefined where nothing is traced, or not this. What has
 * ended is not named: a timer that was set within a request runs on in its name.
 */
export function traceNow(): string | undefined {
  if (!state.on) return undefined;
  const span = trace.getActiveSpan();
  return span?.isRecording() ? traceparentOf(span.spanContext()) : undefined;
}

/** Names what runs now in another's trace, and the other way round. @param other a `traceparent` */
export function linkNow(other: string): void {
  const named = spanContextOf(other);
  if (named) trace.getActiveSpan()?.addLink({ context: named });
}

/** A function as it is, but in nobody's name: for what is called by whoever comes along. */
export function inNoTrace<T extends (...args: never[]) => unknown>(called: T): T {
  return state.on ? context.bind(ROOT_CONTEXT, called) : called;
}

/** A function that runs in the name of what runs now, whoever calls it: for events of a connection. */
export function inThisTrace<T extends (...args: never[]) => unknown>(called: T): T {
  return state.on ? context.bind(context.active(), called) : called;
}

function contextOf(traceparent: string | undefined): Context {
  const named = traceparent === undefined ? undefined : spanContextOf(traceparent);
  return named ? trace.setSpanContext(ROOT_CONTEXT, named) : ROOT_CONTEXT;
}

/** The code of a row of the error table, else the class: a message may hold anything. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
