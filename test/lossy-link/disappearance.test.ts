import { eventually } from '../support/eventually';
import { LossyWorld } from './lossy-world';
import { ObservingDevice } from './observing-device';

let world: LossyWorld;
beforeAll(async () => {
  world = await LossyWorld.start();
});
afterAll(() => world.stop());

/** Nobody in this test waits for so long: the device does not find out by itself. */
const NEVER = 600_000;

describe('A device that observes attributes and commands and then disappears', () => {
  it('loses its observations after the last time-out, and gets its command when it comes back at another port', async () => {
    const { server, gateway } = world;
    const device = await world.device(6_000, { loss: 0, duplication: 0, delay: [0, 0] });
    const { link, id } = device;
    const observer = new ObservingDevice(device, NEVER, true);
    observer.start();
    await gateway.observations(2);
    const timeouts = await gateway.metric('tandem_coap_timeouts_total');
    const retransmissions = await gateway.metric('tandem_coap_retransmissions_total');

    link.cut();
    const lost = link.down.lost;
    const command = await server.persistentCommand(id, 'do', 7);
    await server.share(id, { while: 'away' });
    await gateway.observations(0);
    // MAX_RETRANSMIT is 4; of the two observations only one had a message on its way (NSTART 1).
    expect(link.down.lost - lost).toBe(5);
    expect((await gateway.metric('tandem_coap_retransmissions_total')) - retransmissions).toBe(4);
    expect((await gateway.metric('tandem_coap_timeouts_total')) - timeouts).toBe(1);
    expect(await server.persistentStatus(command)).toMatch(/QUEUED|TIMEOUT/);
    expect([...observer.commands]).toEqual([]);
    observer.stop();

    await link.changePort();
    link.mend();
    const again = new ObservingDevice(device, NEVER, true);
    again.start();
    await eventually(async () => {
      const status = await server.persistentStatus(command);
      return status === 'SUCCESSFUL' ? undefined : `the command is ${status}`;
    });
    expect([...again.commands]).toEqual([[7, 1]]);
    expect(again.attributes).toEqual({ while: 'away' });
    await gateway.observations(2);
    again.stop();
  }, 60_000);
});
