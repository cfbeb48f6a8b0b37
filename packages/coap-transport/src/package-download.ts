import { type DeviceSession, type DownloadRequest, downloadCut, type FirmwareDownloads } from '@tandem/core';
import type { PackageFeature } from './device-path';
import type { CoapRequest, CoapResponse } from './endpoint/index';
import { refuse } from './retry-time';

/** application/octet-stream (contract 2.7). */
const OCTETS = 42;

/**
 * Firmware or software for a device (contract 7.4): any block of it at any time. The first one counts as a message.
 * @throws TandemError as `FirmwareDownloads.open`, and BAD_REQUEST; at once, or by the promise
 */
export function downloadPackage(
  downloads: FirmwareDownloads,
  session: DeviceSession,
  feature: PackageFeature,
  { query, continues }: CoapRequest,
): CoapResponse | Promise<CoapResponse> {
  const type = feature === 'firmware' ? 'FIRMWARE' : 'SOFTWARE';
  const opened = downloads.open(session, type, downloadQuery(query), continues);
  return opened instanceof Promise ? opened.then(answer) : answer(opened);

  function answer(download: Awaited<typeof opened>): CoapResponse {
    const read = (offset: number, length: number) => downloads.block(download, offset, length).catch(refuse);
    const source = { length: download.length, read };
    return { code: '2.05', contentFormat: OCTETS, etag: download.tag, source };
  }
}

/** `title=...` and so on out of the Uri-Query options; the first of each name counts. */
function downloadQuery(options: readonly string[]): DownloadRequest {
  const value = (name: string) => options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
  return { title: value('title'), version: value('version'), ...downloadCut(value('size'), value('chunk')) };
}
