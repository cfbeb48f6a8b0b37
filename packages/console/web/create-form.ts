import type { DeviceInfo } from './devices.js';
import { field, h } from './dom.js';
import { type FoldForm, foldForm } from './fold-form.js';
import { deviceHash, goTo } from './router.js';
import { call } from './server.js';

/** A new device; then its page. */
export function createForm(): FoldForm {
  const name = h('input', { required: true, autocomplete: 'off', maxlength: 255 });
  const label = h('input', { autocomplete: 'off', maxlength: 255 });
  const profile = h('input', { autocomplete: 'off', placeholder: 'default', maxlength: 255 });
  const token = h('input', { autocomplete: 'off', placeholder: 'made at random', spellcheck: false });
  const fields = [
    field('Name', name),
    field('Label', label),
    field('Profile', profile, 'One of another name is made.'),
    field('Access token', token),
  ];
  return foldForm('New device', 'Create', fields, async () => {
    const query = token.value === '' ? '' : `?accessToken=${encodeURIComponent(token.value)}`;
    const device = {
      name: name.value,
      label: label.value || undefined,
      type: profile.value.trim() || undefined,
    };
    const made = await call(`/api/device${query}`, { method: 'POST', body: JSON.stringify(device) });
    goTo(deviceHash((JSON.parse(made) as DeviceInfo).id.id));
    return `${name.value} is there.`;
  });
}
