// Loaded before the program: at SIGUSR2 the thread of its materialiser ends, and every one that is started in its place; at the next
// SIGUSR2 they stay again.
const workers = new Set();
let ending = false;
process.on('worker', (worker) => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
  if (ending) void worker.terminate();
});
process.on('SIGUSR2', () => {
  ending = !ending;
  if (ending) for (const worker of workers) void worker.terminate();
});
