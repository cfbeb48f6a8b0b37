/**
 * Runs a task for each item, at most `atOnce` of them at the same time, begun in order. After a failure nothing new is
 * begun; it rejects with the first one when what was under way has ended.
 */
export async function concurrently<T>(
  items: readonly T[],
  atOnce: number,
  task: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  const rest = items.entries();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) {
      if (failures.length > 0) return;
      try {
        await task(item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
