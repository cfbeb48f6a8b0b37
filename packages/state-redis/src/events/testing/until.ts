/** For what a server knows and does not tell by itself. */
export async function until(holds: () => Promise<boolean> | boolean, within = 10_000): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`It did not come about within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
