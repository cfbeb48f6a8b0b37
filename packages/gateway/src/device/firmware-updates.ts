import { createHash } from 'node:crypto';
import { type DeviceLink, explain, verdictOf } from './device-link';
import type { Journal } from './journal';

/** The shared attributes that announce a package. */
interface Announced {
  readonly fw_title?: string;
  readonly fw_version?: string;
  readonly fw_checksum?: string;
  readonly fw_checksum_algorithm?: string;
}

const HASHES: Readonly<Record<string, string>> = { MD5: 'md5', SHA256: 'sha256', SHA384: 'sha384', SHA512: 'sha512' };

/** Plays an update: downloads what is announced, looks whether it is whole, and reports each state as telemetry. */
export class FirmwareUpdates {
  #current = '';
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly name: string,
    private readonly link: DeviceLink,
    private readonly journal: Journal,
    private readonly report: (body: string) => Promise<boolean>,
  ) {}

  /** @param attributes JSON of those that changed */
  heard(attributes: string): Promise<void> {
    const announced = JSON.parse(attributes) as Announced;
    const { fw_title: title, fw_version: version } = announced;
    if (typeof title !== 'string' || typeof version !== 'string') return this.#turn;
    // One after the other: the newest comes last.
    this.#turn = this.#turn.then(() => this.#update(title, version, announced));
    return this.#turn;
  }

  async #update(title: string, version: string, announced: Announced): Promise<void> {
    const package_ = `${title} ${version}`;
    if (this.#current === package_) return;
    const tell = (state: string, more: object = {}) => this.report(JSON.stringify({ ...more, fw_state: state }));
    await tell('DOWNLOADING');
    try {
      const answer = await this.link.download(title, version);
      if (verdictOf(answer) !== 'done') throw new Error(explain(answer));
      this.journal.received(this.name, 'firmware', `${package_}, ${answer.body.length} bytes`);
      await tell('DOWNLOADED');
      mustMatch(answer.body, announced);
    } catch (error) {
      await tell('FAILED', { fw_error: (error as Error).message });
      return;
    }
    await tell('VERIFIED');
    await tell('UPDATING');
    if (await tell('UPDATED', { current_fw_title: title, current_fw_version: version })) this.#current = package_;
  }
}

/** @throws Error when the bytes are not those that were announced */
function mustMatch(bytes: Buffer, { fw_checksum, fw_checksum_algorithm = '' }: Announced): void {
  const hash = HASHES[fw_checksum_algorithm];
  if (hash === undefined || fw_checksum === undefined) return;
  if (createHash(hash).update(bytes).digest('hex') !== fw_checksum.toLowerCase()) throw new Error('Checksum is wrong');
}
