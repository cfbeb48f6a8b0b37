import { randomUUID } from 'node:crypto';
import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { type Logger, type Millis, type Platform, quietLogger } from '@tandem/core';
import { version } from './version';

/** A collector that is away fails every batch. */
const SAID_EVERY: Millis = 60_000;

/**
 * Registers OpenTelemetry's SDK at its API: spans are kept in a queue of bounded length and sent in batches. Endpoint, headers,
 * certificates, sampler, limits and the queue are as the standard variables say, which the SDK reads by itself.
 * @returns sends the rest, and ends it
 */
export function registerExport({ clock, logger }: Pick<Platform, 'clock'> & { readonly logger: Logger }) {
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
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  // What comes in is read by ourselves, and nothing goes out.
  provider.register({ propagator: null });
  return () => provider.shutdown().catch((error: unknown) => diagnostics.error(String(error)));
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
