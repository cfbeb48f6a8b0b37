/** A place of the console as it stands in the address: `#/devices?page=2`. */
export interface Route {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function currentRoute(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function hashOf(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
  return parameters.size > 0 ? `#${path}?${parameters}` : `#${path}`;
}

export const deviceHash = (id: string): string => hashOf(`/devices/${id}`);

export function goTo(hash: string): void {
  location.hash = hash;
}

/** Tells in the address what the view shows, and shows nothing else. */
export function noteInAddress(hash: string, asNew: boolean): void {
  if (hash === location.hash) return;
  if (asNew) history.pushState(null, '', hash);
  else history.replaceState(null, '', hash);
}
