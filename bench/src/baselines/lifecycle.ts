/** Tells the bench where the server listens, and ends with the bench. */
export function serveBench(port: number): void {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
  process.send?.({ port });
}
