import { TandemError } from '../errors';
import { FakeClock } from '../testing/fake-clock';
import { Faults } from './faults';
import { silentLogger } from './logger';

function faultsOf(max: number) {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = { ...silentLogger, error: (text: string, fields?: object) => lines.push({ text, ...fields }) };
  const faults = new Faults(logger, clock, max);
  const answered = (what: string) => {
    const error = TandemError.from(new Error(what));
    error.logFault(faults, 'failed');
    expect(error.message).toBe(`Internal server error (correlation id ${error.correlationId})`);
    return error.correlationId;
  };
  return { clock, lines, answered };
}

it('Every fault has a line of its own as long as there are not too many', () => {
  const { lines, answered } = faultsOf(3);
  const ids = [answered('a'), answered('a'), answered('b')];
  expect(new Set(ids).size).toBe(3);
  expect(lines.map(({ correlationId }) => correlationId)).toEqual(ids);
});

it('Beyond that faults are answered with the id of a line that is like them, and a line says how many', async () => {
  const { clock, lines, answered } = faultsOf(2);
  const [a, b] = [answered('a'), answered('b')];
  expect([answered('a'), answered('a'), answered('b'), answered('c')]).toEqual([a, a, b, b]);
  expect(lines).toHaveLength(2);
  await clock.advance(1_000);
  expect(lines.slice(2)).toEqual([
    { text: 'more faults were answered with this id', message: 'failed Error: a', correlationId: a, more: 2 },
    { text: 'more faults were answered with this id', message: 'failed Error: b', correlationId: b, more: 2 },
  ]);
  const c = answered('c');
  expect(lines.at(-1)).toMatchObject({ text: 'failed', correlationId: c });
});
