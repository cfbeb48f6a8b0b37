import { type Platform, SettingsError, type State, switchTracing, tracedState } from '@tandem/core';
import { exportProblems } from './export-problems';

type Variables = Readonly<Record<string, string | undefined>>;

const PROTOCOL = 'http/protobuf';
const DEFAULT_ENDPOINT = 'http://localhost:4318/v1/traces';
const RATIO_SAMPLERS = ['traceidratio', 'parentbased_traceidratio'];
const SAMPLERS = ['always_on', 'always_off', 'parentbased_always_on', 'parentbased_always_off', ...RATIO_SAMPLERS];

/**
 * Where OpenTelemetry's own variables send traces to; undefined where they ask for none, which is the default.
 * @throws SettingsError with a line for each that cannot be met
 */
export function traceEndpoint(variables: Variables): string | undefined {
  const given = (name: string) => variables[name]?.trim() || undefined;
  const own = given('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const common = given('OTEL_EXPORTER_OTLP_ENDPOINT');
  const exporter = given('OTEL_TRACES_EXPORTER') ?? (own || common ? 'otlp' : 'none');
  const disabled = given('OTEL_SDK_DISABLED')?.toLowerCase() ?? 'false';
  if (disabled === 'true' || exporter === 'none') return undefined;
  const problems: string[] = [];
  if (disabled !== 'false') problems.push('OTEL_SDK_DISABLED must be true or false');
  if (exporter !== 'otlp') problems.push('OTEL_TRACES_EXPORTER must be otlp or none');
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']) {
    // That of traces counts where both are given.
    if (name === 'OTEL_EXPORTER_OTLP_PROTOCOL' && given('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL')) continue;
    if ((given(name) ?? PROTOCOL) !== PROTOCOL)
      problems.push(`${name} must be ${PROTOCOL}: nothing else is spoken here`);
  }
  for (const [name, value] of [
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', own ? undefined : common],
  ] as const) {
    if (value !== undefined && !isHttp(value)) problems.push(`${name} must be a URL of http or https`);
  }
  const sampler = given('OTEL_TRACES_SAMPLER');
  if (sampler && !SAMPLERS.includes(sampler)) {
    problems.push(`OTEL_TRACES_SAMPLER must be one of ${SAMPLERS.join(', ')}`);
  }
  const ratio = Number(given('OTEL_TRACES_SAMPLER_ARG') ?? 1);
  if (sampler && RATIO_SAMPLERS.includes(sampler) && !(ratio >= 0 && ratio <= 1)) {
    problems.push('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1');
  }
  problems.push(...exportProblems(given));
  if (problems.length > 0) throw new SettingsError(problems);
  return own ?? (common ? `${common.replace(/\/$/, '')}/v1/traces` : DEFAULT_ENDPOINT);
}

/** The problems of these variables, a line each. */
export function traceProblems(variables: Variables): readonly string[] {
  try {
    traceEndpoint(variables);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

export interface Tracing {
  /** The store as requests see it. */
  state(state: State, system: 'redis' | 'lmdb'): State;
  /** Sends what has not been sent yet. Nothing is traced any more. */
  stop(): Promise<void>;
}

const NO_TRACING: Tracing = { state: (state) => state, stop: () => Promise.resolve() };

/**
 * Traces from now on, where the variables ask for it; else nothing of OpenTelemetry but its API is loaded.
 * @throws SettingsError
 */
export async function startTracing(
  variables: Variables,
  platform: Pick<Platform, 'clock' | 'logger' | 'metrics'>,
): Promise<Tracing> {
  const endpoint = traceEndpoint(variables);
  if (endpoint === undefined) return NO_TRACING;
  const { registerExport } = await import('./trace-export.js');
  const stopExport = registerExport(platform);
  switchTracing(true);
  const { origin, pathname } = new URL(endpoint);
  platform.logger.info('traces are exported', { endpoint: origin + pathname });
  return {
    state: tracedState,
    stop() {
      switchTracing(false);
      return stopExport();
    },
  };
}

function isHttp(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text).protocol);
  } catch {
    return false;
  }
}
