import { TandemError } from '../../errors';
import { silentLogger } from '../../platform/logger';
import { FakeClock } from '../../testing/fake-clock';
import { CodecFormat } from './codec-format';
import { JsonFormat } from './json-format';
import type { PayloadCodec } from './payload-codec';

/** JSON backwards. */
const backwards = (text: string) => [...text].reverse().join('');
const codec: PayloadCodec = {
  name: 'backwards',
  mediaTypes: ['application/x-backwards'],
  contentFormat: 65_000,
  decode(bytes, { kind }) {
    if (bytes.toString() === 'secret') throw new Error('path of the codec');
    if (kind === 'reply' && bytes.toString() === 'told') throw new TandemError('BAD_PAYLOAD', { message: 'told' });
    return backwards(bytes.toString());
  },
  encode: (json) => Buffer.from(backwards(json)),
};
const faults = { write: (_message: string, id: string) => id };
const SETTINGS = { typeCast: true, maxStringLength: 0 };
const format = new CodecFormat(codec, new JsonFormat(SETTINGS), {
  clock: new FakeClock(),
  logger: silentLogger,
  faults,
});
const bytes = (json: string) => Buffer.from(backwards(json));

describe('A codec', () => {
  it('is read by the rules of JSON', () => {
    expect(format.readTelemetry(bytes('{"a":42.0,"b":"7"}'), 5)).toMatchObject({
      lines: '5 {"a":42.0,"b":7}',
      points: 2,
    });
    expect(format.readAttributes(bytes('{a: on}')).entries).toEqual([{ key: 'a', value: '"on"' }]);
    expect(format.readClaim(bytes('{"secretKey":"s"}'))).toEqual({ secretKey: 's' });
    expect(format.readClaim(Buffer.alloc(0))).toEqual({});
    expect(format.readReply(bytes('{"b":1.0}'), 'object')).toEqual({ text: '{"b":1.0}', isJson: true });
    expect(format.readClientRpc(bytes('{"method":"m"}'), { paramsRequired: false })).toEqual({
      method: 'm',
      params: 'null',
    });
  });

  it('writes what devices in JSON mode get', () => {
    const said = (message: Parameters<typeof format.write>[0]) => backwards(format.write(message).toString());
    const one = [{ key: 'a', value: '1.0' as never }];
    expect(said({ kind: 'attributes', client: one, shared: [] })).toBe('{"client":{"a":1.0}}');
    expect(said({ kind: 'update', updated: one, deleted: ['b'] })).toBe('{"a":1.0,"deleted":["b"]}');
    expect(said({ kind: 'command', id: 3, method: 'm', params: 'null' })).toBe('{"id":3,"method":"m","params":null}');
    expect(said({ kind: 'reply', json: '{"time":1}' })).toBe('{"time":1}');
  });

  it('that answers with a promise is refused, told of once, and ends nothing when the promise is rejected', async () => {
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (line: string) => void errors.push(line) };
    const reject = () => Promise.reject(new Error('later')) as never;
    const late = new CodecFormat({ ...codec, decode: reject, encode: reject }, new JsonFormat(SETTINGS), {
      clock: new FakeClock(),
      logger,
      faults,
    });
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    for (let n = 0; n < 2; n++) {
      expect(() => late.readAttributes(bytes('{}'))).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }));
      expect(() => late.write({ kind: 'reply', json: '1' })).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    }
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(errors).toEqual(['a payload codec answered with a promise: codecs answer at once']);
  });

  it('says nothing of its own troubles to whoever sent the bytes, unless it means to', () => {
    expect(() => format.readAttributes(Buffer.from('secret'))).toThrow('The payload is no backwards');
    expect(() => format.readReply(Buffer.from('told'), 'any')).toThrow('told');
  });
});
