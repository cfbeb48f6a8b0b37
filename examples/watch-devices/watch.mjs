// Shows devices live: one line of JSON on standard output for each update.
//
//   TANDEM_URL=http://127.0.0.1:8080 TANDEM_USER=... TANDEM_PASSWORD=... node watch.mjs <device id> ...
//
// It connects again whenever the connection is lost, and then begins with the state: nothing has to be caught up with.
import { WebSocket } from 'ws';

const { TANDEM_URL = 'http://127.0.0.1:8080', TANDEM_USER: username, TANDEM_PASSWORD: password } = process.env;
const devices = process.argv.slice(2);
if (devices.length === 0) throw new Error('Name the ids of devices');

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** The gateway pings three times in its TB_SERVER_WS_PING_TIMEOUT of 30 s: in silence the connection is dead. */
const SILENCE = 30_000;

/** Two subscriptions for each device; an update names the one it belongs to. */
const subscriptions = devices.flatMap((device) => [
  { device, what: 'telemetry', command: { type: 'TIMESERIES', scope: 'LATEST_TELEMETRY' } },
  { device, what: 'attributes', command: { type: 'ATTRIBUTES' } },
]);

async function login() {
  const answer = await fetch(`${TANDEM_URL}/api/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  if (answer.status !== 200) throw new Error(`The login is answered ${answer.status}`);
  return (await answer.json()).token;
}

/** Resolves with the reason when the connection is over. @param {string} token @param {() => void} onUpdate */
function watch(token, onUpdate) {
  const socket = new WebSocket(`${TANDEM_URL.replace(/^http/, 'ws')}/api/ws`);
  let silence = setTimeout(() => socket.terminate(), SILENCE);
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => socket.terminate(), SILENCE);
  };
  socket.on('open', () => {
    const cmds = subscriptions.map(({ device, command }, cmdId) => ({
      ...{ cmdId, entityType: 'DEVICE', entityId: device },
      ...command,
    }));
    socket.send(JSON.stringify({ authCmd: { cmdId: 0, token }, cmds }));
  });
  socket.on('ping', heard);
  socket.on('message', (text) => {
    heard();
    const { subscriptionId, errorCode, errorMsg, data } = JSON.parse(String(text));
    const { device, what } = subscriptions[subscriptionId] ?? {};
    const update = errorCode === 0 ? { device, what, data } : { device, what, error: errorMsg };
    process.stdout.write(`${JSON.stringify(update)}\n`);
    onUpdate();
  });
  socket.on('error', (error) => process.stderr.write(`${error.message}\n`));
  return new Promise((resolve) => {
    socket.on('close', (code, reason) => {
      clearTimeout(silence);
      resolve(`closed with ${code} ${reason}`);
    });
  });
}

for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
  try {
    const reason = await watch(await login(), () => {
      pause = FIRST_PAUSE;
    });
    process.stderr.write(`${reason}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  }
  await new Promise((resolve) => setTimeout(resolve, pause));
}
