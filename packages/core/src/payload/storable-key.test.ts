import { JsonFormat } from './format/index';
import { keyFault } from './storable-key';

const FORMAT = new JsonFormat({ typeCast: true, maxStringLength: 0 });

describe('A key', () => {
  it.each(['temperature', 'a<5', 'a < b', '<', 'x>y', '5<', 'größe', '__proto__', 'k'.repeat(255)])(
    'may be %j',
    (key) => {
      expect(keyFault(key)).toBeUndefined();
    },
  );

  it.each([
    ['', 'is blank'],
    [' \t', 'is blank'],
    ['k'.repeat(256), 'is longer than 255 characters'],
    ['<script>', 'looks like HTML'],
    ['a</b>', 'looks like HTML'],
    ['<IMG src=x onerror=1>', 'looks like HTML'],
    ['<!--', 'looks like HTML'],
    ['a\u0000b', 'has a character of code 0'],
  ])('is left out as %j, and the other keys of its message are stored', (key, fault) => {
    expect(keyFault(key)).toBe(fault);
    const bytes = Buffer.from(JSON.stringify({ [key]: 1, other: 2 }));
    expect(FORMAT.readTelemetry(bytes, 5)).toEqual({ lines: '5 {"other":2}', points: 1, droppedKeys: 1 });
    expect(FORMAT.readAttributes(bytes)).toEqual({ entries: [{ key: 'other', value: '2' }], droppedKeys: 1 });
  });
});
