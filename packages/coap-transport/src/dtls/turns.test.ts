import { type Task, Turns } from './turns';

interface Named extends Task {
  readonly name: string;
}

const task = (name: string): Named => ({ name, waiting: undefined });

/** Two tasks per turn; the test says when a turn is. */
function queue() {
  const scheduled: (() => void)[] = [];
  const done: string[] = [];
  const turns = new Turns<Named>(
    2,
    (run) => void scheduled.push(run),
    ({ name }) => void done.push(name),
  );
  const turn = () => {
    scheduled.shift()?.();
    return done.splice(0);
  };
  return { turns, turn, scheduled };
}

describe('Handshakes that wait for their turn', () => {
  it('are worked off a few in each turn of the event loop, whatever comes at once', () => {
    const { turns, turn, scheduled } = queue();
    for (const name of ['a', 'b', 'c', 'd', 'e']) turns.add(task(name), 'fresh');
    expect([turns.size, scheduled.length]).toEqual([5, 1]);
    expect([turn(), turn(), turn(), turn()]).toEqual([['a', 'b'], ['c', 'd'], ['e'], []]);
    expect([turns.size, scheduled.length]).toEqual([0, 0]);
  });

  it('are finished before others are begun', () => {
    const { turns, turn } = queue();
    for (const name of ['a', 'b', 'c']) turns.add(task(name), 'fresh');
    expect(turn()).toEqual(['a', 'b']);
    for (const name of ['A', 'B']) turns.add(task(name), 'begun');
    expect([turn(), turn()]).toEqual([['A', 'B'], ['c']]);
  });

  it('have one turn, however much has come for them, and none once they are over', () => {
    const { turns, turn } = queue();
    const [one, other] = [task('one'), task('other')];
    for (let n = 0; n < 10; n++) turns.add(one, 'begun');
    turns.add(other, 'fresh');
    turns.remove(other);
    turns.remove(other);
    expect([turns.size, turn(), turn()]).toEqual([1, ['one'], []]);
    turns.add(one, 'begun');
    expect(turn()).toEqual(['one']);
  });
});
