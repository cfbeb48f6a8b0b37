import { type KeyValue, longValue, stringValue } from '../payload/value';
import type { EpochMillis } from '../platform/clock';
import type { TelemetryRecord } from '../state/telemetry-log';
import type { OtaPackage, PackageType } from './model';

const PREFIX: Record<PackageType, string> = { FIRMWARE: 'fw', SOFTWARE: 'sw' };

/** What belongs to the assigned package: written with it, or deleted where it has no such thing. */
const OF_PACKAGE = ['title', 'version', 'tag', 'size', 'checksum_algorithm', 'checksum', 'url'] as const;
/** What is deleted besides when no package is assigned any more (server contract 8). */
const OF_UPDATE = ['ts', 'state'] as const;

/** The shared attributes by which a device learns of its package (device contract 7.1). */
export interface TargetAttributes {
  readonly entries: readonly KeyValue[];
  /** Keys that the device must not have. */
  readonly absent: readonly string[];
}

/** @param ota none where no package is assigned */
export function targetAttributes(type: PackageType, ota: OtaPackage | undefined): TargetAttributes {
  const key = (name: string) => `${PREFIX[type]}_${name}`;
  if (!ota) return { entries: [], absent: [...OF_PACKAGE, ...OF_UPDATE].map(key) };
  const values: Record<(typeof OF_PACKAGE)[number], string | number | null> = {
    title: ota.title,
    version: ota.version,
    tag: ota.tag,
    size: ota.dataSize,
    checksum_algorithm: ota.checksumAlgorithm,
    checksum: ota.checksum,
    url: ota.url,
  };
  const entries: KeyValue[] = [];
  const absent: string[] = [];
  for (const name of OF_PACKAGE) {
    const value = values[name];
    if (value === null || value === '') absent.push(key(name));
    else entries.push({ key: key(name), value: typeof value === 'number' ? longValue(value) : stringValue(value) });
  }
  return { entries, absent };
}

/**
 * What is noted in the time series of a device that gets a package (device contract 7.2). The two states are a millisecond
 * apart: of one time there is one value.
 */
export function targetTelemetry(ota: OtaPackage, ts: EpochMillis): TelemetryRecord[] {
  const prefix = PREFIX[ota.type];
  const state = (name: string): KeyValue => ({ key: `${prefix}_state`, value: stringValue(name) });
  const target = (name: string, text: string): KeyValue => ({
    key: `target_${prefix}_${name}`,
    value: stringValue(text),
  });
  return [
    {
      ts,
      values: [
        target('title', ota.title),
        target('version', ota.version),
        ...(ota.tag ? [target('tag', ota.tag)] : []),
        { key: `target_${prefix}_ts`, value: longValue(ts) },
        state('QUEUED'),
      ],
    },
    { ts: ts + 1, values: [state('INITIATED')] },
  ];
}
