/** A checksum over bytes that come in pieces. */
export interface RunningChecksum {
  update(chunk: Uint8Array): void;
  /** Lower-case hex of all that came. To be called once. */
  digest(): string;
}
