import { TandemError } from '../../errors';

/** What is wrong with one schema, in sentences that name the member of the profile and the line. */
export class SchemaFaults {
  /** @param member `deviceTelemetryProtoSchema` */
  constructor(private readonly member: string) {}

  /** @param line counted from 1 */
  at(line: number, sentence: string): TandemError {
    return new TandemError('BAD_REQUEST', { message: `${this.member}, line ${line}: ${sentence}` });
  }

  inAll(sentence: string): TandemError {
    return new TandemError('BAD_REQUEST', { message: `${this.member}: ${sentence}` });
  }
}
