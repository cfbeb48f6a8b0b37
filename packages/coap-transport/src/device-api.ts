import {
  type AnswerFormat,
  type Core,
  type DeviceSession,
  type PayloadFormat,
  type PayloadKind,
  type RequestMetrics,
  speaksCoap,
  TandemError,
  tracing,
  written,
} from '@tandem/core';
import { attributeQuery } from './attribute-query';
import type { Callers } from './callers';
import { content } from './content';
import { LINK_FORMAT } from './content-formats';
import { operationOf } from './counted-requests';
import { type DevicePath, type Feature, type FeaturePath, type PackageFeature, parseDevicePath } from './device-path';
import { type CoapRequest, type CoapResponse, PROVE_ADDRESS, type RequestHandler } from './endpoint/index';
import type { LockOut } from './lock-out';
import { AttributeSource } from './observations/attribute-source';
import { RpcSource } from './observations/rpc-source';
import { oncePerPromise } from './once-per-promise';
import { downloadPackage } from './package-download';
import type { ProvisioningDoor } from './provisioning/provisioning';
import { inRequestSpan } from './request-span';
import { refuse } from './retry-time';

const CREATED: CoapResponse = { code: '2.01' };
const VALID: CoapResponse = { code: '2.03' };
const DELETED: CoapResponse = { code: '2.02' };
const BAD_REQUEST: CoapResponse = { code: '4.00' };
const METHOD_NOT_ALLOWED: CoapResponse = { code: '4.05' };
const NOT_FOUND: CoapResponse = { code: '4.04' };
/** Short: anybody may ask, and is not to get more than three times what a request of four bytes was. */
const BANNER: CoapResponse = { code: '2.05', payload: 'Tandem' };
const RESOURCES: CoapResponse = { code: '2.05', payload: '</api/v1>;ct=50;obs', contentFormat: LINK_FORMAT };
/** No room for another observation of commands (design section 9). */
const NO_ROOM: CoapResponse = { code: '5.03', maxAge: 60 };

/** No room for another lookup of credentials. Short: most of them take milliseconds. */
const BUSY: CoapResponse = { code: '5.03', maxAge: 1 };

/**
 * The device API of contract section 2 as one handler: path, then token, then payload.
 * @param closing aborted when nobody waits for answers any more
 */
export function createDeviceApi(
  core: Core,
  callers: Callers,
  lockOut: LockOut,
  provisioning: ProvisioningDoor,
  counted: RequestMetrics,
  closing: AbortSignal,
): RequestHandler {
  const {
    telemetry,
    attributes,
    attributeUpdates,
    rpcDelivery,
    rpcCalls,
    clientRpc,
    claiming,
    connectivity,
    firmware,
    clock,
    settings,
    formats,
  } = core;

  const whenStored = oncePerPromise((stored: Promise<void>) => stored.then(created));
  const orRefused = oncePerPromise((answer: Promise<CoapResponse>) => answer.catch(refuse));

  return function handle(request: CoapRequest): CoapResponse | Promise<CoapResponse> {
    try {
      const answer = route(request);
      return answer instanceof Promise ? orRefused(answer) : answer;
    } catch (error) {
      return refuse(error);
    }
  };

  function route(request: CoapRequest): CoapResponse | Promise<CoapResponse> {
    const path = parseDevicePath(request.path);
    if (path.kind !== 'feature') {
      request.counted = counted.of('other');
      return withoutDevice(path.kind, request);
    }
    const { feature, token } = path;
    const refusal = refusalOf(feature, request);
    request.counted = counted.of(refusal === undefined ? operationOf(feature, path.requestId, request) : 'other');
    if (refusal !== undefined) return refusal;
    lockOut.admit(request);
    if (feature === 'provision') return provisioning.answer(request);
    const known = callers.cached(request, token);
    if (known) return withSession(known, path, request);
    const found = callers.find(request, token);
    return found?.then((session) => (session ? withSession(session, path, request) : BUSY)) ?? BUSY;
  }

  function withSession(
    session: DeviceSession,
    path: FeaturePath,
    request: CoapRequest,
  ): CoapResponse | Promise<CoapResponse> {
    request.authenticate(session.deviceId);
    return tracing.on
      ? inRequestSpan(session, path, request, () => serve(session, path, request))
      : serve(session, path, request);
  }

  function serve(
    session: DeviceSession,
    { feature, requestId }: FeaturePath,
    request: CoapRequest,
  ): CoapResponse | Promise<CoapResponse> {
    refuseForeignTransport(session);
    if (!request.proved && mustBeProved(feature, requestId, request)) return PROVE_ADDRESS;
    connectivity.seen(session.deviceId);
    if (isPackage(feature)) return downloadPackage(firmware.downloads, session, feature, request);
    if (session.payloadType === 'JSON') return withFormat(undefined, session, feature, requestId, request);
    const format = formats.ofProfile(session.profileId);
    return format instanceof Promise
      ? format.then((found) => withFormat(found, session, feature, requestId, request))
      : withFormat(format, session, feature, requestId, request);
  }

  /** @param schemas what the profile lays down, whatever the request names; undefined: what the request names */
  function withFormat(
    schemas: PayloadFormat | undefined,
    session: DeviceSession,
    feature: Feature,
    requestId: number | undefined,
    request: CoapRequest,
  ): CoapResponse | Promise<CoapResponse> {
    if (request.method === 'GET') {
      return feature === 'attributes' ? getAttributes(schemas, session, request) : getRpc(schemas, session, request);
    }
    switch (feature) {
      case 'telemetry':
        return whenStored(telemetry.post(session, request.payload, bodyOf('telemetry', schemas, request)));
      case 'attributes':
        return attributes.postClient(session, request.payload, bodyOf('attributes', schemas, request)).then(created);
      case 'claim':
        return claiming.register(session, bodyOf('claim', schemas, request).readClaim(request.payload)).then(created);
      default:
        return requestId === undefined
          ? callServer(bodyOf('command', schemas, request), schemas, session, request)
          : rpcCalls
              .reply(session, requestId, request.payload, 'object', bodyOf('reply', schemas, request))
              .then(created);
    }
  }

  function bodyOf(kind: PayloadKind, schemas: PayloadFormat | undefined, request: CoapRequest): PayloadFormat {
    const format = schemas ?? formats.ofContentFormat(request.contentFormat, kind);
    if (request.payload.length > settings.TANDEM_FORMAT_MAX_BYTES && format !== formats.json) {
      throw new TandemError('PAYLOAD_TOO_LARGE', { limit: settings.TANDEM_FORMAT_MAX_BYTES });
    }
    return format;
  }

  async function callServer(
    format: PayloadFormat,
    schemas: PayloadFormat | undefined,
    session: DeviceSession,
    { payload, accept }: CoapRequest,
  ): Promise<CoapResponse> {
    const json = await clientRpc.call(session, payload, { paramsRequired: false, caller: closing, format });
    return content(written(schemas ?? formats.acceptedOverCoap(accept, 'reply', format), { kind: 'reply', json }));
  }

  async function getAttributes(
    schemas: PayloadFormat | undefined,
    session: DeviceSession,
    request: CoapRequest,
  ): Promise<CoapResponse> {
    if (request.observe === 0 && request.observable) {
      const { source, snapshot } = await AttributeSource.open(
        session,
        attributeUpdates,
        connectivity,
        answersTo(request, 'update', schemas, session),
      );
      return { ...snapshot, observation: source };
    }
    const format = schemas ?? formats.acceptedOverCoap(request.accept, 'attributes');
    const found = await attributes.readForDevice(session, attributeQuery(request.query));
    if (found.client.length === 0 && found.shared.length === 0) {
      return { ...NOT_FOUND, contentFormat: format.contentFormat };
    }
    return content(written(format, { kind: 'attributes', ...found }));
  }

  async function getRpc(
    schemas: PayloadFormat | undefined,
    session: DeviceSession,
    request: CoapRequest,
  ): Promise<CoapResponse> {
    if (request.observe === 1) return DELETED;
    if (!request.observable) return NO_ROOM;
    const source = await RpcSource.open(
      session,
      rpcDelivery,
      connectivity,
      clock,
      settings.COAP_TIMEOUT,
      answersTo(request, 'command', schemas, session),
    );
    return { ...VALID, observation: source };
  }

  /** For an observer. One that names no format of its own gets what the profile says at the time. */
  function answersTo(
    { accept }: CoapRequest,
    kind: PayloadKind,
    schemas: PayloadFormat | undefined,
    session: DeviceSession,
  ): AnswerFormat {
    const named = schemas === undefined ? formats.acceptedOverCoap(accept, kind) : undefined;
    return formats.answersFor(session, named === formats.json ? undefined : named);
  }
}

/**
 * Whether the sender may still see a body that was kept for its earlier request: its credentials have to be known to the cache,
 * which drops them when they change. Those that the cache has let go for room cost one more run of the handler.
 */
export function mayContinue(callers: Callers, request: CoapRequest): boolean {
  const path = parseDevicePath(request.path);
  if (path.kind !== 'feature') return true;
  const session = callers.cached(request, path.token);
  if (session === undefined) return false;
  request.authenticate(session.deviceId);
  return true;
}

/**
 * A block of a longer request: nothing is kept of one whose path or token would be refused once it is complete. It
 * counts for the rate limits once it is complete, as what it is; what is never completed is bound by the memory for it.
 */
export function admit(
  callers: Callers,
  lockOut: LockOut,
  provisioning: ProvisioningDoor,
  request: CoapRequest,
): CoapResponse | undefined | Promise<CoapResponse | undefined> {
  const path = parseDevicePath(request.path);
  if (path.kind !== 'feature') return withoutDevice(path.kind, request);
  const { token, feature, requestId } = path;
  const refusal = refusalOf(feature, request);
  if (refusal !== undefined) return refusal;
  // Nothing takes the body of a GET.
  if (request.method === 'GET') return BAD_REQUEST;
  lockOut.admit(request);
  if (feature === 'provision') return provisioning.admit(request);
  const admitted = (session: DeviceSession): CoapResponse | undefined => {
    request.authenticate(session.deviceId);
    refuseForeignTransport(session);
    if (!request.proved && mustBeProved(feature, requestId, request)) return PROVE_ADDRESS;
    return undefined;
  };
  const known = callers.cached(request, token);
  if (known !== undefined) return admitted(known);
  const found = callers.find(request, token);
  return found?.then((session) => (session ? admitted(session) : BUSY), refuse) ?? BUSY;
}

/**
 * Whether this is for addresses that are proved: notifications, and a command of the device, whose reply has a length that
 * is known only when it is too late to run it again.
 */
function mustBeProved(feature: Feature, requestId: number | undefined, request: CoapRequest): boolean {
  // Whoever asks for a package with Observe gets it, and observes nothing.
  if (isPackage(feature)) return false;
  if (request.method === 'GET') return request.observe === 0 && request.observable;
  return feature === 'rpc' && requestId === undefined;
}

/** The answer to a path that names no feature (contract 2.3). */
function withoutDevice(kind: Exclude<DevicePath['kind'], 'feature'>, { method }: CoapRequest): CoapResponse {
  switch (kind) {
    case 'root':
      return method === 'GET' ? BANNER : METHOD_NOT_ALLOWED;
    case 'discovery':
      return method === 'GET' ? RESOURCES : METHOD_NOT_ALLOWED;
    case 'foreign':
      return NOT_FOUND;
    case 'api':
      return method === 'POST' ? BAD_REQUEST : METHOD_NOT_ALLOWED;
    case 'no-feature':
      return method === 'POST' || method === 'GET' ? BAD_REQUEST : METHOD_NOT_ALLOWED;
  }
}

/** What is refused whoever asks; undefined: it depends on who that is. */
function refusalOf(feature: Feature, request: CoapRequest): CoapResponse | undefined {
  if (request.method !== 'POST' && request.method !== 'GET') return METHOD_NOT_ALLOWED;
  if (isPackage(feature)) return request.method === 'GET' ? undefined : METHOD_NOT_ALLOWED;
  return answers(feature, request) ? undefined : BAD_REQUEST;
}

const isPackage = (feature: Feature): feature is PackageFeature => feature === 'firmware' || feature === 'software';

/** Whether there is anything behind this method and feature (contract 2.4). */
function answers(feature: Feature, { method, observe }: CoapRequest): boolean {
  if (method === 'POST') return true;
  return feature === 'attributes' || (feature === 'rpc' && observe !== undefined);
}

/** Contract 2.2: profiles of other transports do not get in, EFENTO devices have resources of their own. */
function refuseForeignTransport(session: DeviceSession): void {
  if (speaksCoap(session)) return;
  throw new TandemError(session.coapDeviceType === 'EFENTO' ? 'BAD_REQUEST' : 'TRANSPORT_MISMATCH');
}

const created = (): CoapResponse => CREATED;
