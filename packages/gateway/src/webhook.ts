import type { ClientRpcBackend, ClientRpcRequest } from '@tandem/core';

/** The largest reply that is taken from the webhook. */
const MAX_REPLY_BYTES = 65_536;

/**
 * Client-side RPC by webhook (design section 9): POST of `{"deviceId","deviceName","deviceType","method","params"}`; a 2xx
 * with a JSON body is the reply, anything else an error the device gets to see: what `{"error":"…"}` of a failure says, if
 * it is that. A redirect is not followed: commands go to the address that was set and nowhere else.
 * @param target user name and password in it are sent as HTTP Basic credentials
 */
export function webhookBackend(target: URL): ClientRpcBackend {
  const url = new URL(target);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  return {
    async call(request: ClientRpcRequest, signal: AbortSignal): Promise<string> {
      const body = bodyOf(request);
      const response = await reached(fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' }));
      if (!response.ok) throw new Error((await statedError(response)) ?? `Webhook answered ${response.status}`);
      const reply = await reached(readBody(response));
      if (reply === undefined) throw new Error('Webhook answered with too much');
      if (!isJson(reply)) throw new Error('Webhook did not answer with JSON');
      return reply;
    },
  };
}

/** The params' own text goes into the body, so that 42.0 stays 42.0. */
function bodyOf({ deviceId, deviceName, deviceType, method, params }: ClientRpcRequest): string {
  return `${JSON.stringify({ deviceId, deviceName, deviceType, method }).slice(0, -1)},"params":${params}}`;
}

/** What the network says about a failure is none of the device's business. */
async function reached<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch {
    throw new Error('Webhook is out of reach');
  }
}

/** Undefined when there is more of it than is taken. */
async function readBody(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_REPLY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What a failing webhook has to say to the device: `{"error":"boom"}`. Undefined where it says nothing of the kind. */
async function statedError(response: Response): Promise<string | undefined> {
  const body = await reached(readBody(response));
  if (body === undefined || !isJson(body)) return undefined;
  const said = JSON.parse(body) as { error?: unknown } | null;
  return typeof said?.error === 'string' ? said.error : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
