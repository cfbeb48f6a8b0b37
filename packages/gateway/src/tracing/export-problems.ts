import { accessSync, constants } from 'node:fs';

type Given = (name: string) => string | undefined;

const EXPORTER = ['OTEL_EXPORTER_OTLP', 'OTEL_EXPORTER_OTLP_TRACES'];
/** The defaults that the specification lays down. */
const QUEUE = 2_048;
const BATCH = 512;
const PAIRS = 'pairs like name=value, with commas between them and other characters as %2C';

/** What the SDK would put up with in silence, or with a line in the log: it goes on by a default, or without. */
export function exportProblems(given: Given): readonly string[] {
  const number = (name: string, least: number) => {
    const value = given(name);
    const isRight = value === undefined || (/^\d+$/.test(value) && Number(value) >= least);
    return isRight ? [] : [`${name} must be a whole number from ${least} on`];
  };
  const each = (names: readonly string[], isRight: (value: string) => boolean, must: string) =>
    names.flatMap((name) => {
      const value = given(name);
      return value === undefined || isRight(value) ? [] : [`${name} must be ${must}`];
    });
  const ofExporter = (...ends: string[]) => EXPORTER.flatMap((start) => ends.map((end) => `${start}_${end}`));
  return [
    ...ofExporter('TIMEOUT').flatMap((name) => number(name, 1)),
    ...number('OTEL_BSP_SCHEDULE_DELAY', 0),
    ...number('OTEL_BSP_EXPORT_TIMEOUT', 1),
    ...queueProblems(given, number),
    ...each(ofExporter('COMPRESSION'), (value) => value === 'gzip' || value === 'none', 'gzip or none'),
    ...each(ofExporter('CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'), isReadable, 'a file that can be read'),
    ...each(ofExporter('HEADERS'), (value) => arePairs(value, /^[^=]*[^=\s][^=]*=/), PAIRS),
    // The SDK drops all of them for one in which there is a second one of these.
    ...each(['OTEL_RESOURCE_ATTRIBUTES'], (value) => arePairs(value, /^[^=]*[^=\s][^=]*=[^=]*$/), PAIRS),
  ];
}

function queueProblems(given: Given, number: (name: string, least: number) => readonly string[]): readonly string[] {
  const problems = [...number('OTEL_BSP_MAX_QUEUE_SIZE', 1), ...number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1)];
  const queue = Number(given('OTEL_BSP_MAX_QUEUE_SIZE') ?? QUEUE);
  const batch = Number(given('OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? BATCH);
  if (problems.length > 0 || batch <= queue) return problems;
  return [`OTEL_BSP_MAX_EXPORT_BATCH_SIZE (${batch}) must not be more than OTEL_BSP_MAX_QUEUE_SIZE (${queue})`];
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** One that is empty, behind a last comma for instance, says nothing. */
function arePairs(text: string, form: RegExp): boolean {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return pairs.every((pair) => form.test(pair) && isEncoded(pair));
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
