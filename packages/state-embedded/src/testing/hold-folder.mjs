// Opens the folder, says so, and holds it until it is killed. A folder in use is said by the error's name.
import { openStore } from './open-store.mjs';

const [folder] = process.argv.slice(2);
try {
  await openStore(folder);
  process.stdout.write('open\n');
  setInterval(() => {}, 60_000);
} catch (error) {
  process.stdout.write(`${error.name}: ${error.message}\n`);
}
