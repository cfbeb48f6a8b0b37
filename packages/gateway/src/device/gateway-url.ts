const PROTOCOLS: ReadonlySet<string> = new Set(['http:', 'https:', 'coap:']);

/** @throws Error that says which URLs there are */
export function gatewayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'coaps:') {
    throw new Error(
      'CoAP over DTLS is not spoken here; coap-client does: coap-client-openssl -c cert.pem -j key.pem -m post -e {} coaps://...',
    );
  }
  if (!url || !PROTOCOLS.has(url.protocol) || url.hostname === '') {
    throw new Error(
      `"${text}" is no address of a gateway: http://localhost:8080, https://... or coap://localhost:5683`,
    );
  }
  const path = url.pathname.replace(/\/+$/, '') + url.search;
  // Before a gateway may be a proxy that takes a path of its own away; with an API's path in it nothing is found, or a login asked for.
  if (path !== '' && (url.protocol === 'coap:' || /(?:^|\/)api(?:\/|$)|\?/.test(path))) {
    throw new Error(`Give the address of the gateway without a path: ${url.protocol}//${url.host}, not ${text}`);
  }
  return url;
}
