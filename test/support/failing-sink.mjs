import { take as print } from '../../examples/telemetry-consumer/sink.mjs';

let calls = 0;

/** Fails at its first call, before it has taken anything. */
export async function take(messages) {
  calls += 1;
  if (calls === 1) throw new Error('the sink is away');
  await print(messages);
}
