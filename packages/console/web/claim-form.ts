import type { DeviceInfo } from './devices.js';
import { field, h } from './dom.js';
import { type FoldForm, foldForm } from './fold-form.js';
import { deviceHash, goTo } from './router.js';
import { call, Refusal } from './server.js';

const FAILURES: Readonly<Record<string, string>> = {
  '"FAILURE"': 'The key is not right, or the device cannot be claimed now. It has to say again that it can.',
  '"CLAIMED"': 'Somebody has this device already.',
};

/** For users of customers: a device becomes theirs. */
export function claimForm(): FoldForm {
  const name = h('input', { required: true, autocomplete: 'off' });
  const secret = h('input', { autocomplete: 'off', spellcheck: false });
  const fields = [
    field('Name of the device', name),
    field('Secret key', secret, 'It stands on the device, or on its display.'),
  ];
  return foldForm('Claim a device', 'Claim', fields, async () => {
    const path = `/api/customer/device/${encodeURIComponent(name.value)}/claim`;
    const body = JSON.stringify({ secretKey: secret.value });
    const answer = await call(path, { method: 'POST', body }).catch((error) => {
      const words = error instanceof Refusal ? FAILURES[error.message] : undefined;
      throw words === undefined ? error : new Error(words);
    });
    const { device } = JSON.parse(answer) as { device: DeviceInfo };
    goTo(deviceHash(device.id.id));
    return `${name.value} is yours.`;
  });
}
