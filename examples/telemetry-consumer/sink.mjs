/**
 * Where the messages go: to be replaced, by a call of your rule engine for instance (SINK=/path/to/yours.mjs). Resolves when it has taken them
 * for good, and only then are they acknowledged; where it throws, the same messages come again after a second.
 *
 * It can get a message twice (docs/guides/consume-telemetry.md): `partition` and `id` together tell.
 * @param {{ partition: number, id: string, device: string, records: string }[]} messages in order, for each device. `records`
 *   has a line for each timestamp: milliseconds, a space, and the values as a JSON object.
 */
export async function take(messages) {
  const text = messages.map((message) => `${line(message)}\n`).join('');
  await new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** The values as they stand: JSON.parse would make 42 of 42.0, and round integers beyond 2^53. */
function line({ partition, id, device, records }) {
  const points = records.split('\n').map((record) => {
    const space = record.indexOf(' ');
    return `{"ts":${record.slice(0, space)},"values":${record.slice(space + 1)}}`;
  });
  return `{"id":"${id}","partition":${partition},"device":"${device}","records":[${points}]}`;
}
