import { generate, type NamedOption, parse } from 'coap-packet';
import { readdress, TOKEN_BYTES } from '../load/coap-message';

const CONTENT = 0x45;
const CON = 0;

/** A CON GET of the shared attributes; with `observe` one that registers an observation (RFC 7641 section 2). */
export function attributesDatagram(accessToken: string, observe: boolean, messageId: number, token: number): Buffer {
  const path = ['api', 'v1', accessToken, 'attributes'];
  const options: NamedOption[] = path.map((segment) => ({ name: 'Uri-Path', value: Buffer.from(segment) }));
  if (observe) options.unshift({ name: 'Observe', value: Buffer.alloc(0) });
  const datagram = generate({
    confirmable: true,
    code: 'GET',
    messageId: 0,
    token: Buffer.alloc(TOKEN_BYTES, 0xff),
    options,
  });
  readdress(datagram, messageId, token);
  return datagram;
}

/** Whether the response says that the client is in the list of observers: with an Observe option (RFC 7641 section 4.1). */
export function isRegistered(response: Buffer): boolean {
  return isContent(response) && parse(response).options.some(({ name }) => name === 'Observe');
}

export function isContent(response: Buffer): boolean {
  return response[1] === CONTENT;
}

/** A Confirmable message of the server with a representation that belongs to this token: what an observer hears. */
export function isNotification(datagram: Buffer, token: number): boolean {
  return (
    datagram.length >= 4 + TOKEN_BYTES &&
    ((datagram[0] ?? 0) & 0x3f) === ((CON << 4) | TOKEN_BYTES) &&
    isContent(datagram) &&
    datagram.readUInt32BE(4) === token
  );
}
