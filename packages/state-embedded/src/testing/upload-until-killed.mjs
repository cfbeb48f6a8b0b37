// Uploads data for one package after the other, two at a time. Prints `written <package>` for each chunk and `committed
// <package>` when it has its data: 20 chunks of 64 KiB, each filled with the first byte of the package's id.
import { openStore } from './open-store.mjs';

const [folder, ...packages] = process.argv.slice(2);
const { firmware } = await openStore(folder);

async function upload() {
  for (let packageId = packages.shift(); packageId; packageId = packages.shift()) {
    const data = await firmware.beginData();
    for (let n = 0; n < 20; n++) {
      await data.write(Buffer.alloc(65_536, Number.parseInt(packageId.slice(0, 2), 16)));
      process.stdout.write(`written ${packageId}\n`);
    }
    const file = { fileName: 'fw', contentType: 'a/b', checksumAlgorithm: 'MD5', checksum: '0', dataSize: 20 * 65_536 };
    await data.commit({ packageId, file, tenantMaxBytes: Number.MAX_SAFE_INTEGER });
    process.stdout.write(`committed ${packageId}\n`);
  }
}

await Promise.all([upload(), upload()]);
setInterval(() => {}, 1_000);
