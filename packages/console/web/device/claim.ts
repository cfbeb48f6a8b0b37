import type { DeviceInfo } from '../devices.js';
import { h, notice } from '../dom.js';
import { dateTime } from '../format.js';
import { goTo } from '../router.js';
import { call, read, repeat, whileThere, wordsFor } from '../server.js';
import type { Place } from '../view.js';
import { section } from './section.js';

interface Claim {
  readonly state: 'CLAIMED' | 'CLAIMABLE' | 'NOT_CLAIMABLE';
  readonly expirationTime: number | null;
  readonly customerTitle: string | null;
}

const PAUSE = 5000;

/** Whose the device is, and whether somebody could claim it now. */
export function claimSection({ user, signal }: Place, device: DeviceInfo): HTMLElement {
  const state = h('p', { class: 'claim-state', role: 'status' }, 'Looking …');
  const said = notice();
  const back = h('button', { type: 'button', hidden: true }, 'Give it back');
  const isCustomer = user.authority === 'CUSTOMER_USER';
  if (!isCustomer) back.textContent = 'Take it back';

  const load = async () => {
    const claim = await read<Claim>(`/api/tandem/claim/${device.id.id}`, signal);
    if (signal.aborted) return;
    const words = wordsOf(claim);
    if (state.textContent !== words) state.textContent = words;
    state.dataset.state = claim.state;
    back.hidden = claim.state !== 'CLAIMED';
  };
  back.addEventListener('click', async () => {
    try {
      await call(`/api/customer/device/${encodeURIComponent(device.name)}/claim`, { method: 'DELETE' });
      said.say('It belongs to nobody now.', 'good');
      if (isCustomer) goTo('#/devices');
      else await load();
    } catch (error) {
      said.say(wordsFor(error), 'bad');
    }
  });
  whileThere(signal, load(), (words) => {
    state.textContent = words;
  });
  repeat(signal, PAUSE, () => load().catch(() => {}));
  return section('Claim', 'Whose it is.', state, h('p', {}, back), said.element);
}

function wordsOf({ state, expirationTime, customerTitle }: Claim): string {
  if (state === 'CLAIMED') return `Belongs to ${customerTitle ?? 'a customer'}.`;
  if (state === 'NOT_CLAIMABLE') {
    return 'Belongs to nobody, and cannot be claimed now: the device has to say first that it can be.';
  }
  const until = expirationTime === null ? '' : ` until ${dateTime(expirationTime)}`;
  return `Can be claimed${until}, by whoever knows its secret key.`;
}
