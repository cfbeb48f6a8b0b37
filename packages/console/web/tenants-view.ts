import { h, table } from './dom.js';
import { count, dateTime } from './format.js';
import { read } from './server.js';
import type { Place, View } from './view.js';

interface Tenant {
  readonly title: string;
  readonly createdTime: number;
  readonly email: string | null;
}

const SHOWN = 100;

/** A system administrator has no devices: who has is told. */
export async function tenantsView({ signal }: Place): Promise<View> {
  const page = await read<{ data: Tenant[]; totalElements: number }>(
    `/api/tenants?pageSize=${SHOWN}&page=0&sortProperty=title&sortOrder=ASC`,
    signal,
  );
  const list = table('Tenants', ['Tenant', 'E-mail', 'Made']);
  for (const { title, email, createdTime } of page.data) {
    list.body.append(
      h('tr', {}, h('td', {}, title), h('td', {}, email ?? '–'), h('td', { class: 'figures' }, dateTime(createdTime))),
    );
  }
  const element = h(
    'div',
    { class: 'page' },
    h('h1', { tabindex: -1 }, 'Tenants'),
    h(
      'p',
      { class: 'lead' },
      'Devices belong to tenants: log in as an administrator of a tenant, or as a user of one of its customers, to see them here. What a system administrator can do is in the ',
      h('a', { href: '/openapi/' }, 'server API'),
      '.',
    ),
    h('p', { class: 'hint' }, count(page.totalElements, 'tenant')),
    list.element,
  );
  return { title: 'Tenants', element };
}
