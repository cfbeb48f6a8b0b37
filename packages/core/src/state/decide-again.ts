import type { Written } from './device-store';

/** Of as many that change one record at the same time each gets its turn. */
const ATTEMPTS = 64;

/**
 * Changes a record that others may change at the same time.
 * @param given the version that the caller saw; without one the change is made to whatever is there
 * @param change reads the record, decides on it and writes it under the version that it read
 * @returns VERSION for a version that was given and is not the record's, or while others never cease to change it
 */
export async function decideAgain<T>(
  given: number | undefined,
  change: () => Promise<Written<T>>,
): Promise<Written<T>> {
  for (let attempt = 1; ; attempt++) {
    const result = await change();
    if (result.ok || result.conflict !== 'VERSION' || given !== undefined || attempt >= ATTEMPTS) return result;
  }
}
