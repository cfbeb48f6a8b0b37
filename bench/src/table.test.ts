import { table } from './table';

describe('the table', () => {
  it('puts names to the left and numbers to the right', () => {
    const rows = [
      ['server', 'requests/s'],
      ['gateway', '9'],
    ];
    expect(table(rows)).toBe('server   requests/s\ngateway           9');
  });
});
