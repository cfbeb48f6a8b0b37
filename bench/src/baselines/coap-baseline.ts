import { createSocket, type RemoteInfo } from 'node:dgram';
import { generate, type ParsedPacket, parse } from 'coap-packet';
import { openLog } from './append-log';
import { serveBench } from './lifecycle';

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * The least a CoAP server on this platform can cost: parse the datagram and its JSON, with a log as argument
 * append the payload, answer 2.01 in the acknowledgement. No deduplication, no options, no credentials.
 */
const append = openLog(process.argv.slice(2));
const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });

socket.on('message', (datagram, peer) => {
  const request = parse(datagram);
  JSON.parse(request.payload.toString());
  if (append === undefined) {
    answer(request, peer, '2.01');
  } else {
    append(request.payload).then(
      () => answer(request, peer, '2.01'),
      () => answer(request, peer, '5.03'),
    );
  }
});
socket.bind(0, '127.0.0.1', () => serveBench(socket.address().port));

function answer(request: ParsedPacket, peer: RemoteInfo, code: string): void {
  const reply = generate({ ack: true, messageId: request.messageId, token: request.token, code });
  socket.send(reply, peer.port, peer.address);
}
