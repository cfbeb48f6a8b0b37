import type { OpenSsl } from './library';

const LENGTH = 256;

/** Takes the errors off the queue, which is shared with all of Node's own TLS and cryptography on this thread. */
export function takeErrors(ssl: OpenSsl): string {
  const reasons: string[] = [];
  for (let code = ssl.ERR_get_error(); code !== 0; code = ssl.ERR_get_error()) {
    const text = Buffer.alloc(LENGTH);
    ssl.ERR_error_string_n(code, text, LENGTH);
    // error:0A000086:SSL routines::certificate verify failed
    reasons.push(text.toString('latin1', 0, text.indexOf(0)).split(':').slice(4).join(':'));
  }
  return reasons.join('; ');
}
