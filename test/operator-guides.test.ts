import { type RedisServer, startRedis } from '../packages/state-redis/src/testing/redis-server';
import { examplesOn } from './page-examples/examples';
import { OperatorShell } from './page-examples/operator-shell';
import { cleanUp } from './support/gateway-process';

const EXAMPLES = {
  operate: examplesOn('docs/guides/operate.md'),
  backUp: examplesOn('docs/guides/back-up.md'),
  monitor: examplesOn('docs/guides/monitor.md'),
  expose: examplesOn('docs/guides/expose-to-the-internet.md'),
  watch: examplesOn('docs/guides/watch-devices.md'),
  scaleOut: examplesOn('docs/guides/scale-out.md'),
  consume: examplesOn('docs/guides/consume-telemetry.md'),
};
/** Of the README, which comes before all of them. */
const DEVICE_OF_THE_README = `
PASSWORD=$(cat data/initial-admin-password)
JWT=$(curl -s localhost:8080/api/auth/login -H 'Content-Type: application/json' \\
  -d "{\\"username\\":\\"tenant@thingsboard.org\\",\\"password\\":\\"$PASSWORD\\"}" | jq -r .token)
DEVICE=$(curl -s "localhost:8080/api/device?accessToken=my-token" -H "X-Authorization: Bearer $JWT" \\
  -H 'Content-Type: application/json' -d '{"name":"Thermometer"}' | jq -r .id.id)
curl -s localhost:8080/api/v1/my-token/telemetry -d '{"temperature":42.0}'
`;
const ENTRY = ['d', '784f394c-42b6-435a-983c-b7beff2784f9', 'm', '1700000000000 {"temperature":42.0}'];
const UNTIL_IT_IS_ACTIVE = `
until curl -s localhost:8080/api/plugins/telemetry/DEVICE/$DEVICE/values/attributes -H "X-Authorization: Bearer $JWT" |
  jq -e 'any(.key == "active" and .value)'; do sleep 0.1; done
`;

afterAll(cleanUp);

/** In one folder, one after the other, since each start of a gateway takes seconds. */
describe('The guide prints what stands in it', () => {
  let operator: OperatorShell;
  beforeAll(async () => {
    operator = await OperatorShell.open();
  });
  afterAll(() => operator.close());

  it('to running it for real, which leaves a gateway that runs', async () => {
    // What somebody looks for who was told of an id.
    await operator.run(`echo '{"level":"error","message":"x","correlationId":"5f2c09d1a7be"}' > tandem.log`);
    for (const example of EXAMPLES.operate) await operator.expect(example);
  });

  it('to letting devices in from the Internet', async () => {
    await operator.run(`coap-client-notls -m post -e '{"a":1}' coap://127.0.0.1/api/v1/wrong-token/telemetry`);
    for (const example of EXAMPLES.expose) await operator.expect(example);
  });

  it('to watching devices', async () => {
    await operator.run(`export TANDEM_URL=http://localhost:8080\n${DEVICE_OF_THE_README}${UNTIL_IT_IS_ACTIVE}`);
    for (const example of EXAMPLES.watch) await operator.expect(example);
    await operator.run('cd ../..; unset TANDEM_URL');
  });

  it('to backing it up', async () => {
    await operator.stop();
    for (const example of EXAMPLES.backUp) await operator.expect(example);
  });

  it('to watching a gateway, which starts the one that was restored and has all of it', async () => {
    const starts = EXAMPLES.monitor.filter(({ runs }) => runs);
    const looks = EXAMPLES.monitor.filter(({ runs }) => !runs);
    for (const example of [...starts, ...looks]) await operator.expect(example);
    const device = await operator.run('curl -s localhost:8080/api/device/$DEVICE -H "X-Authorization: Bearer $JWT"');
    expect(device).toContain('"name":"Thermometer"');
  });
});

describe('On Redis the guide prints what stands in it', () => {
  let operator: OperatorShell;
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    operator = await OperatorShell.open(redis);
  });
  afterAll(async () => {
    await operator.close();
    await redis.stop();
  });

  it('to scaling out, which leaves a gateway of workers', async () => {
    for (const example of EXAMPLES.scaleOut) await operator.expect(example);
  });

  it('to consuming telemetry', async () => {
    // It is there before the message is, which so is kept for it.
    await operator.run(
      'for i in 0 1 2 3 4 5 6 7; do redis-cli XGROUP CREATE "tandem:telemetry:{$i}" rule-engine 0 MKSTREAM; done',
    );
    await operator.run(DEVICE_OF_THE_README);
    const [install, run, byHand] = EXAMPLES.consume;
    for (const example of [install, run]) if (example) await operator.expect(example);
    // For one stream with one entry, which nobody takes away.
    await operator.stop();
    await redis.cli('FLUSHALL');
    await redis.cli('XADD', 'tandem:telemetry:{0}', '1700000000000-0', ...ENTRY);
    if (byHand) await operator.expect(byHand);
  });
});
