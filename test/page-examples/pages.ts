/** Which test runs the plain ```sh blocks of a page: all of them, which `examplesOn` sees to. */
export const RUN_BY: Readonly<Record<string, string>> = {
  'docs/guides/back-up.md': 'test/operator-guides.test.ts',
  'docs/guides/claim-devices.md': 'test/guide-examples.test.ts',
  'docs/guides/client-side-rpc.md': 'test/client-rpc-guide.test.ts',
  'docs/guides/coaps.md': 'test/security/coaps-guide.test.ts',
  'docs/guides/command-line.md': 'test/command-line.test.ts',
  'docs/guides/consume-telemetry.md': 'test/operator-guides.test.ts',
  'docs/guides/customise.md': 'test/customise.test.ts',
  'docs/guides/encrypt-secrets.md': 'test/encrypt-secrets.test.ts',
  'docs/guides/expose-to-the-internet.md': 'test/operator-guides.test.ts',
  'docs/guides/first-device-coap.md': 'test/guide-examples.test.ts',
  'docs/guides/first-device-http.md': 'test/guide-examples.test.ts',
  'docs/guides/https.md': 'test/security/https-guide.test.ts',
  'docs/guides/import-devices.md': 'test/import-devices.test.ts',
  'docs/guides/monitor.md': 'test/operator-guides.test.ts',
  'docs/guides/move-from-thingsboard.md': 'test/move-from-thingsboard.test.ts',
  'docs/guides/operate.md': 'test/operator-guides.test.ts',
  'docs/guides/payload-formats.md': 'test/guide-examples.test.ts',
  'docs/guides/protobuf.md': 'test/protobuf-guide.test.ts',
  'docs/guides/provision-devices.md': 'test/guide-examples.test.ts',
  'docs/guides/scale-out.md': 'test/operator-guides.test.ts',
  'docs/guides/systemd.md': 'test/deploy/systemd-guide.test.ts',
  'docs/guides/update-firmware.md': 'test/guide-examples.test.ts',
  'docs/guides/watch-devices.md': 'test/operator-guides.test.ts',
  'docs/guides/x509-devices.md': 'test/security/x509-guide.test.ts',
  'docs/reference/device-api.md': 'test/device-api-page.test.ts',
};

/** A fenced block of a page: ```<language> <mark>. */
export interface Fence {
  readonly language: string;
  /** The rest of the line, which says how a block of commands is run. */
  readonly mark: string;
  readonly text: string;
}

export function fencesOf(page: string): Fence[] {
  const blocks = page.matchAll(/^```([a-z]*) ?(.*)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, language = '', mark = '', text = '']) => ({ language, mark, text }));
}
