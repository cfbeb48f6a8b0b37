import type { ClientRpcBackend, ClientRpcRequest } from '@tandem/core';

/** The largest reply that is taken from the webhook. */
const MAX_REPLY_BYTES = 65_536;

/**
 * Client-side RPC by webhook (design section 9): POST of `{"deviceId","deviceName","deviceType","method","params"}`; a 2xx
 * with a JSON body is the reply, anything else an error the device gets to see.
 */
export function webhookBackend(url: URL): ClientRpcBackend {
  return {
    async call(request: ClientRpcRequest, signal: AbortSignal): Promise<string> {
      const response = await post(url, request, signal);
      const body = await readBody(response);
      if (!response.ok) throw new Error(`Webhook answered ${response.status}`);
      if (!isJson(body)) throw new Error('Webhook did not answer with JSON');
      return body;
    },
  };
}

async function post(url: URL, request: ClientRpcRequest, signal: AbortSignal): Promise<Response> {
  const { params, ...identity } = request;
  // The params' own text goes into the body, so that 42.0 stays 42.0.
  const body = `${JSON.stringify(identity).slice(0, -1)},"params":${params}}`;
  try {
    return await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });
  } catch {
    throw new Error('Webhook is out of reach');
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_REPLY_BYTES) throw new Error('Webhook answered with too much');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
