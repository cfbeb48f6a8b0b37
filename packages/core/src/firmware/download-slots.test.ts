import { systemRandom } from '../platform/random';
import { DownloadSlots } from './download-slots';

it('Places for downloads are so many in all, and a share of them for one device', () => {
  const slots = new DownloadSlots(10, systemRandom);
  const frees = Array.from({ length: 8 }, () => slots.take('a'));
  expect(() => slots.take('a')).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }));
  frees.push(slots.take('b'), slots.take('c'));
  expect(() => slots.take('d')).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }));
  for (const free of frees) free();
  expect(slots.taken).toBe(0);
  expect(slots.take('a')).toBeDefined();
});
