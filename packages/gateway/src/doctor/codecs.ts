import type { Settings } from '@tandem/core';
import { problemsOf } from '../logging/problems';
import { loadPayloadCodecs } from '../payload-codecs';
import { type Finding, fail, ok } from './finding';

/** Loads them, as a start does: what their modules do when they are loaded, they do now. */
export async function checkCodecs({ TANDEM_PAYLOAD_CODECS: paths }: Settings): Promise<Finding[]> {
  if (paths.length === 0) return [];
  const about = 'TANDEM_PAYLOAD_CODECS';
  try {
    const codecs = await loadPayloadCodecs(paths);
    return [ok(about, codecs.map(({ name }) => name).join(', '))];
  } catch (error) {
    return problemsOf(error).map((text) =>
      fail(about, text, 'See docs/guides/customise.md; paths begin where the gateway is started.'),
    );
  }
}
