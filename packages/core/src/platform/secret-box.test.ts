import { systemRandom } from './random';
import { CLEAR_BOX, isSealedNow, makeSecretBox, type SecretBox } from './secret-box';

const [NEW, OLD, STRANGE] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte));
const boxOf = (...keys: (Buffer | undefined)[]): SecretBox =>
  makeSecretBox(
    keys.flatMap((key) => key ?? []),
    systemRandom,
  );
const TEXT = '{"token":"ünïcode 😀"}';
const PLACE = 'credentials 1';

describe('A sealed text', () => {
  const box = boxOf(NEW, OLD);

  it('opens to what it was, and shows nothing of it', () => {
    for (const text of [TEXT, '', 'x'.repeat(100_000)]) {
      const sealed = box.seal(text, PLACE);
      expect(sealed).toMatch(/^sealed1\.[0-9a-f]{16}\.[\w-]+$/);
      expect(box.open(sealed, PLACE)).toBe(text);
    }
    expect(box.seal(TEXT, PLACE)).not.toContain('token');
  });

  it('is another one each time', () => {
    expect(box.seal(TEXT, PLACE)).not.toBe(box.seal(TEXT, PLACE));
  });

  it('opens nowhere but in its place', () => {
    const sealed = box.seal(TEXT, PLACE);
    expect(() => box.open(sealed, 'credentials 2')).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    expect(() => box.open(sealed, 'secrets 1')).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  it('does not open when a character of it was changed, or some are missing', () => {
    const sealed = box.seal(TEXT, PLACE);
    for (let at = 'sealed1.0123456789abcdef.'.length; at < sealed.length; at++) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'Q' : 'A') + sealed.slice(at + 1);
      // Of the last character not all bits are anything.
      if (Buffer.from(changed.slice(25), 'base64url').equals(Buffer.from(sealed.slice(25), 'base64url'))) continue;
      expect(() => box.open(changed, PLACE)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    }
    for (const kept of [25, 26, 40, sealed.length - 1]) {
      expect(() => box.open(sealed.slice(0, kept), PLACE)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    }
  });

  it('opens with a key that is not the first, and is not as it would be written now', () => {
    const sealed = boxOf(OLD).seal(TEXT, PLACE);
    expect(box.open(sealed, PLACE)).toBe(TEXT);
    expect(isSealedNow(box, sealed)).toBe(false);
    expect(isSealedNow(box, box.seal(TEXT, PLACE))).toBe(true);
  });

  it('is for another process to open where its key is not there', () => {
    const sealed = boxOf(STRANGE).seal(TEXT, PLACE);
    for (const other of [box, CLEAR_BOX, boxOf()]) {
      expect(() => other.open(sealed, PLACE)).toThrow(expect.objectContaining({ code: 'STORE_UNAVAILABLE' }));
    }
  });

  it('is not made without a key; a clear text is read with any', () => {
    expect(boxOf().seal(TEXT, PLACE)).toBe(TEXT);
    expect(isSealedNow(boxOf(), TEXT)).toBe(true);
    for (const any of [box, CLEAR_BOX]) expect(any.open(TEXT, PLACE)).toBe(TEXT);
    expect(isSealedNow(box, TEXT)).toBe(false);
  });
});
