import { deviceName, READ_NAMES, readDevices, readsOf } from './reads';

const IDS = Array.from({ length: 1_000 }, (_, index) => `id-${index}`);
const queriesOf = (name: (typeof READ_NAMES)[number]): URLSearchParams[] =>
  readsOf([name], IDS, 5).flatMap(({ paths }) => paths.map((path) => new URLSearchParams(path.split('?')[1])));

describe('the reads of the server API', () => {
  it('go over all pages', () => {
    const pages = queriesOf('page').map((query) => Number(query.get('page')));
    expect(pages).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('search for texts of which each is within the names of a hundred devices, at neither end', () => {
    const names = IDS.map((_, index) => deviceName(index));
    for (const query of queriesOf('text')) {
      const text = query.get('textSearch')?.toLowerCase() ?? '';
      const hits = names.filter((name) => name.toLowerCase().includes(text));
      expect(hits).toHaveLength(100);
      expect(hits.some((name) => name.toLowerCase().startsWith(text) || name.toLowerCase().endsWith(text))).toBe(false);
    }
    expect(new Set(queriesOf('text').map((query) => query.get('textSearch'))).size).toBe(10);
  });

  it('read the values of devices that are spread over all', () => {
    expect(readDevices(IDS)).toEqual(IDS);
    expect(readDevices(Array.from({ length: 100_000 }, (_, index) => index)).slice(0, 3)).toEqual([0, 10, 20]);
  });

  it('are all kinds, or those that are asked for', () => {
    expect(readsOf(READ_NAMES, IDS, 5).map(({ name }) => name)).toEqual(READ_NAMES);
    expect(readsOf(['latest'], IDS, 5).map(({ name }) => name)).toEqual(['latest']);
  });
});
