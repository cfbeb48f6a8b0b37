/** Resolves when `look` finds nothing to complain of. @throws Error with the last complaint after `patience` ms */
export async function eventually(
  look: () => string | undefined | Promise<string | undefined>,
  patience = 20_000,
): Promise<void> {
  const deadline = Date.now() + patience;
  for (;;) {
    const complaint = await look();
    if (complaint === undefined) return;
    if (Date.now() > deadline) throw new Error(complaint);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
