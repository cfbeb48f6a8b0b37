import { readTicketData, type TicketData, trustName, writeTicketData } from './ticket-data';

const ID = 'ab'.repeat(32);
const data: TicketData = {
  byKey: false,
  trust: trustName(Buffer.alloc(32, 9)),
  accepted: { ids: [ID, 'cd'.repeat(32)], until: 1_800_000_000_123 },
};

describe('What goes into a ticket', () => {
  it('comes out of it again', () => {
    expect(readTicketData(writeTicketData(data))).toEqual(data);
    const bare = { byKey: true, trust: trustName(undefined), accepted: { ids: [], until: Number.POSITIVE_INFINITY } };
    expect(readTicketData(writeTicketData(bare))).toEqual(bare);
  });

  it('is nothing where it is of another layout, or cut short', () => {
    const bytes = writeTicketData(data);
    expect(readTicketData(bytes.subarray(0, bytes.length - 1))).toBeUndefined();
    expect(readTicketData(Buffer.concat([Buffer.of(2), bytes.subarray(1)]))).toBeUndefined();
    expect(readTicketData(Buffer.alloc(0))).toBeUndefined();
  });
});
