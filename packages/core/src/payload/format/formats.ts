import type { DeviceSession } from '../../auth/device-session';
import type { Uuid } from '../../devices/model';
import type { JsonFormat } from './json-format';
import type { AnswerFormat, PayloadFormat } from './payload-format';

/** Which format the payloads of a device are in. */
export class Formats {
  constructor(
    /** What a device speaks that says nothing else. */
    readonly json: JsonFormat,
  ) {}

  /** The format of the devices of a profile, of now: without a promise where it is known. */
  ofProfile(_profileId: Uuid): PayloadFormat | Promise<PayloadFormat> {
    return this.json;
  }

  /** For a waiter whose events come later. @param accepted the format it asked for, if it did */
  answersFor({ profileId }: DeviceSession, accepted: PayloadFormat | undefined): AnswerFormat {
    if (accepted !== undefined) return { current: () => accepted };
    return { current: () => this.ofProfile(profileId) };
  }
}
