import { randomUUID } from 'node:crypto';
import { type DiagLogger, DiagLogLevel, diag, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { type Logger, type MetricsRegistry, type Millis, type Platform, quietLogger } from '@tandem/core';
import { version } from '../version';

/** `ExportResultCode.SUCCESS`. */
const TAKEN = 0;
/** A collector that is away fails every batch. */
const SAID_EVERY: Millis = 60_000;

/**
 * Registers OpenTelemetry's SDK at its API: spans are kept in a queue of bounded length and sent in batches. Endpoint, headers,
 * certificates, sampler, limits and the queue are as the standard variables say, which the SDK reads by itself.
 * @returns sends the rest, and ends it
 */
export function registerExport({ clock, logger, metrics }: Pick<Platform, 'clock' | 'logger' | 'metrics'>) {
  const diagnostics = asDiagnostics(quietLogger(logger, clock, SAID_EVERY));
  diag.setLogger(diagnostics, {
    logLevel: DiagLogLevel.WARN,
    suppressOverrideMessage: true,
  });
  const ours = resourceFromAttributes({
    'service.name': 'tandem',
    'service.version': version(),
    'service.instance.id': randomUUID(),
  });
  const provider = new NodeTracerProvider({
    resource: ours.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [counted(metrics), new BatchSpanProcessor(countedExport(new OTLPTraceExporter(), metrics))],
  });
  // What comes in is read by ourselves, and nothing goes out.
  provider.register({ propagator: null });
  return () => provider.shutdown().catch((error: unknown) => diagnostics.error(String(error)));
}

/** All that are to be sent. What is neither sent nor failed of them waits, or found the queue full. */
function counted(metrics: MetricsRegistry): SpanProcessor {
  const ended = metrics.counter('tandem_trace_spans_total');
  return {
    onStart() {},
    onEnd(span) {
      if (span.spanContext().traceFlags & TraceFlags.SAMPLED) ended.add();
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

function countedExport(exporter: SpanExporter, metrics: MetricsRegistry): SpanExporter {
  const sent = metrics.counter('tandem_trace_spans_sent_total');
  const failed = metrics.counter('tandem_trace_spans_failed_total');
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        (result.code === TAKEN ? sent : failed).add(spans.length);
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}

/** What the SDK complains of. Its errors carry answers of the collector and more: only their message is told. */
function asDiagnostics(logger: Logger): DiagLogger {
  const none = () => {};
  const complain = (text: string) =>
    logger.warn('traces are not exported as they should be', { reason: messageOf(text) });
  return { error: complain, warn: complain, info: none, debug: none, verbose: none };
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : 'unknown';
  } catch {
    return text;
  }
}
