import { Chunks } from './chunks';

describe('What comes in by pieces', () => {
  it.each([[[]], [['a']], [['a', 'bc']], [['a', '', 'b']]])('is all of them: %j', (pieces) => {
    const chunks = new Chunks();
    for (const piece of pieces) chunks.add(Buffer.from(piece));
    expect(chunks.joined().toString()).toBe(pieces.join(''));
    expect(chunks.bytes).toBe(pieces.join('').length);
  });

  it('byte by byte takes few objects, and is the same', () => {
    const chunks = new Chunks();
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));
    for (const byte of bytes) chunks.add(Buffer.of(byte));
    expect(chunks.pieces).toBeLessThan(700);
    expect(chunks.joined().equals(bytes)).toBe(true);
  });

  it('in large pieces is not copied on the way', () => {
    const chunks = new Chunks();
    const piece = Buffer.alloc(65_536, 7);
    for (let n = 0; n < 300; n++) chunks.add(piece);
    expect(chunks.pieces).toBe(300);
    expect(chunks.joined().equals(Buffer.alloc(300 * 65_536, 7))).toBe(true);
  });
});
