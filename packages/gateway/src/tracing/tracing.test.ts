import { traceEndpoint, traceProblems } from './tracing';

describe('The variables of OpenTelemetry', () => {
  it.each([
    [{}, undefined],
    [{ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [{ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, undefined],
    [{ OTEL_SDK_DISABLED: 'TRUE', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, undefined],
    [{ OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, undefined],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'http://localhost:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, 'http://c:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c/otlp/' }, 'https://c/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://d/x' }, 'http://d/x'],
    [
      {
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
      },
      'http://localhost:4318/v1/traces',
    ],
  ])('%j send traces to %s', (variables, endpoint) => {
    expect(traceEndpoint(variables)).toBe(endpoint);
  });

  it('that cannot be met are told, a line each, without what stands in them', () => {
    expect(
      traceProblems({
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '10 %',
      }),
    ).toEqual([
      'OTEL_TRACES_EXPORTER must be otlp or none',
      'OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf: nothing else is spoken here',
      'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL of http or https',
      'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1',
    ]);
    expect(
      traceProblems({
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_SDK_DISABLED: 'yes',
        OTEL_EXPORTER_OTLP_TIMEOUT: 'abc',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'zip',
        OTEL_EXPORTER_OTLP_CERTIFICATE: '/there/is/no/such.pem',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret,another secret',
        OTEL_RESOURCE_ATTRIBUTES: 'a=1,b=2=3',
        OTEL_BSP_MAX_QUEUE_SIZE: '10',
        OTEL_BSP_SCHEDULE_DELAY: '-1',
      }),
    ).toEqual([
      'OTEL_SDK_DISABLED must be true or false',
      'OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number from 1 on',
      'OTEL_BSP_SCHEDULE_DELAY must be a whole number from 0 on',
      'OTEL_BSP_MAX_EXPORT_BATCH_SIZE (512) must not be more than OTEL_BSP_MAX_QUEUE_SIZE (10)',
      'OTEL_EXPORTER_OTLP_COMPRESSION must be gzip or none',
      'OTEL_EXPORTER_OTLP_CERTIFICATE must be a file that can be read',
      'OTEL_EXPORTER_OTLP_HEADERS must be pairs like name=value, with commas between them and other characters as %2C',
      'OTEL_RESOURCE_ATTRIBUTES must be pairs like name=value, with commas between them and other characters as %2C',
    ]);
    expect(
      traceProblems({
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_SDK_DISABLED: 'False',
        OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
        OTEL_EXPORTER_OTLP_CERTIFICATE: __filename,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi==, x-key=1,',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        OTEL_BSP_MAX_QUEUE_SIZE: '10',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
      }),
    ).toEqual([]);
    expect(traceProblems({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: 'some' })).toEqual([
      'OTEL_TRACES_SAMPLER must be one of always_on, always_off, parentbased_always_on, parentbased_always_off, traceidratio, parentbased_traceidratio',
    ]);
  });
});
