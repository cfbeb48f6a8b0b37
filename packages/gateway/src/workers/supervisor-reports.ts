import { type Exposition, renderTogether } from '../metrics-port/exposition';
import type { HealthReports } from '../metrics-port/health';
import { renderListing } from '../metrics-port/observation-listing';
import type { Part } from '../metrics-port/parts';
import type { WorkerSeat } from './worker-seat';

/**
 * What the one metrics port of several workers tells.
 * @param own metrics of the supervisor itself
 */
export function supervisorReports(
  seats: readonly WorkerSeat[],
  own: Exposition,
  stopping: () => boolean,
): HealthReports {
  return {
    async hanging() {
      const parts = await Promise.all(
        // One that is being loaded may well be busy for longer.
        seats
          .filter(({ isReady }) => isReady)
          .map(async (seat) => {
            const hanging = await seat.ask({ about: 'hanging' });
            return hanging?.map((part) => `worker ${seat.number}: ${part}`) ?? [silent(seat)];
          }),
      );
      return parts.flat();
    },
    async parts() {
      if (stopping()) return [{ name: 'process', state: 'stopping', reason: 'shutting down', needed: true }];
      return (await Promise.all(seats.map(partsOf))).flat();
    },
    async metrics() {
      const ofWorkers = seats.map((seat) => seat.metrics());
      return renderTogether(await Promise.all([own.snapshot(), ...ofWorkers]));
    },
    async observations(query) {
      const listings = await Promise.all(seats.map((seat) => seat.ask({ about: 'observations', query })));
      return renderListing(
        listings.map((listing) => listing ?? { total: 0, rows: [] }),
        query,
      );
    },
  };
}

const silent = ({ number }: WorkerSeat) => `worker ${number} does not answer`;

async function partsOf(seat: WorkerSeat): Promise<readonly Part[]> {
  const { number } = seat;
  const failing = (reason: string): Part => ({ name: `worker ${number}`, state: 'failing', reason, needed: true });
  if (!seat.isFilled) return [failing(`worker ${number} has ended and is started again`)];
  const parts = await seat.ask({ about: 'parts' });
  return parts?.map((part) => ({ ...part, worker: number })) ?? [failing(silent(seat))];
}
