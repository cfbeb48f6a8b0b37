import { type Core, type ProvisionOutcome, type ReadProvisionRequest, readProvision, TandemError } from '@tandem/core';
import { type CoapRequest, type CoapResponse, PROVE_ADDRESS } from '../endpoint/index';
import { sourceAddress } from '../source-address';
import { ProvisionedPeers } from './provisioned-peers';

/** text/plain: what devices that were written for the original expect of JSON here (contract 2.7). */
const TEXT_FORMAT = 0;
const BAD_REQUEST: CoapResponse = { code: '4.00' };
const INCOMPLETE: CoapResponse = { code: '4.08' };
/** Peers whose answers may still be fetched. */
const MAX_TOLD = 1_024;

/**
 * Provisioning over CoAP (contract 5.7). Who sends it is a stranger until its key and secret have proved right: only then
 * something has changed, so only then its request is remembered, to be recognised when it is repeated.
 */
export class ProvisioningDoor {
  readonly #maxBytes: number;
  readonly #told: ProvisionedPeers;

  constructor(private readonly core: Core) {
    this.#maxBytes = core.settings.TANDEM_PROVISION_MAX_BYTES;
    this.#told = new ProvisionedPeers(MAX_TOLD, core.clock, core.metrics);
  }

  /** @throws TandemError */
  answer(request: CoapRequest): CoapResponse | Promise<CoapResponse> {
    const { payload, proved } = request;
    // It is not run a second time for an answer that was too long, so the address is proved before.
    if (!proved) return PROVE_ADDRESS;
    if (payload.length === 0) return BAD_REQUEST;
    if (payload.length > this.#maxBytes) throw new TandemError('PAYLOAD_TOO_LARGE', { limit: this.#maxBytes });
    return this.#provision(request, readProvision(payload, 'either'));
  }

  /**
   * A block of a longer request, which strangers may send: a certificate does not fit into one. Or a request for the rest of the
   * answer, which who has been provisioned gets without saying again who he is: the request is not run a second time.
   */
  admit(request: CoapRequest): CoapResponse | undefined {
    if (!request.proved) return PROVE_ADDRESS;
    if (!request.asksForMore) return undefined;
    const deviceId = this.#told.deviceOf(request.peer.key);
    if (deviceId === undefined) return INCOMPLETE;
    request.authenticate(deviceId);
    return undefined;
  }

  async #provision(coap: CoapRequest, { request, render }: ReadProvisionRequest): Promise<CoapResponse> {
    // Where a request does not prove it, its address is what somebody wrote on a datagram.
    const source = { address: sourceAddress(coap.peer), proved: coap.provesItself };
    const outcome = await this.core.provisioning.provision(request, source);
    if (outcome.status === 'SUCCESS') {
      coap.authenticate(outcome.deviceId);
      this.#told.add(coap.peer.key, outcome.deviceId);
    }
    return responseTo(outcome, render(outcome));
  }
}

function responseTo({ status }: ProvisionOutcome, payload: string | Buffer): CoapResponse {
  const code = status === 'SUCCESS' ? '2.01' : '4.00';
  return typeof payload === 'string' ? { code, payload, contentFormat: TEXT_FORMAT } : { code, payload };
}
