import type { Setting } from './setting';

const MOST = 64;

/** A number of processes, or `auto`: one for each core. */
export const workerCount = (doc: string): Setting<number | 'auto'> => ({
  type: `whole number from 1 to ${MOST}, or auto`,
  default: '1',
  doc,
  parse(value) {
    if (value === 'auto') return value;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < 1 || number > MOST) {
      throw new Error(`must be a whole number from 1 to ${MOST}, or auto`);
    }
    return number;
  },
});
