import { TandemError } from './errors';
import { Faults } from './platform/faults';
import { silentLogger } from './platform/logger';
import { FakeClock } from './testing/fake-clock';

describe('A fault of the gateway', () => {
  it('has a short id, which its message ends with and nothing else tells', () => {
    const fault = TandemError.from(new Error('what nobody shall see'));
    expect(fault).toMatchObject({ code: 'INTERNAL', correlationId: expect.stringMatching(/^[0-9a-f]{12}$/) });
    expect(fault.message).toBe(`Internal server error (correlation id ${fault.correlationId})`);
  });

  it('is one fault with one line in the log however often the same thing is thrown', () => {
    const lines: unknown[] = [];
    const logger = { ...silentLogger, error: (message: string, fields?: object) => lines.push({ message, ...fields }) };
    const thrown = new Error('thrown twice');
    const faults = [TandemError.from(thrown), TandemError.from(thrown), TandemError.from(new Error('another'))];
    const log = new Faults(logger, new FakeClock());
    for (const fault of faults) fault.logFault(log, 'failed', { operation: 'telemetry' });
    expect(faults[1]).toBe(faults[0]);
    expect(lines).toEqual([
      {
        message: 'failed',
        operation: 'telemetry',
        correlationId: faults[0]?.correlationId,
        error: expect.stringContaining('thrown twice'),
      },
      expect.objectContaining({ correlationId: faults[2]?.correlationId }),
    ]);
  });

  it('says in its line what was thrown, also where that is no error', () => {
    const lines: unknown[] = [];
    const logger = { ...silentLogger, error: (_message: string, fields?: object) => lines.push(fields) };
    const log = new Faults(logger, new FakeClock());
    TandemError.from('a word').logFault(log, 'failed');
    TandemError.from(undefined).logFault(log, 'failed');
    new TandemError('INTERNAL', { message: 'A stored object is damaged' }).logFault(log, 'failed');
    expect(lines).toMatchObject([
      { error: 'a word' },
      { error: expect.any(String) },
      { error: expect.stringContaining('A stored object is damaged') },
    ]);
  });
});

it('What a caller did wrong has no id, and is nothing for the log', () => {
  const error = new TandemError('BAD_PAYLOAD');
  const said = jest.fn();
  error.logFault({ write: said }, 'failed');
  expect(said).not.toHaveBeenCalled();
  expect(error).toMatchObject({ correlationId: undefined, message: 'The payload is not what this resource takes' });
});
