import type { Attributes } from '../../attributes/attributes';
import { ERRORS, TandemError } from '../../errors';
import { type PayloadSettings, parseAttributes, parseTelemetry, splitJsonObject } from '../../payload/index';
import { type KeyValue, quote } from '../../payload/value';
import type { Clock } from '../../platform/clock';
import type { Logger } from '../../platform/logger';
import type { RecordLines } from '../../state/telemetry-log';
import type { Telemetry } from '../../telemetry/telemetry';
import { type CredentialsRequest, credentialsContent } from '../device-credentials';
import type { DeviceRequest, Devices } from '../devices';
import type { Device, Uuid } from '../model';
import type { NewDevices } from '../new-devices';
import type { ImportColumnType, ImportMapping, RowContent } from './import-mapping';

/** A row of a device list, or why there is none. */
export type ImportRow =
  | { readonly line: number; readonly values: readonly string[] }
  | { readonly line: number; readonly fault: string };

export interface ImportOptions {
  /** Whether attributes and time series of devices that are there already are written as well. */
  readonly update: boolean;
  /** Ends the import after the rows that are under way. */
  readonly signal: AbortSignal;
}

export interface ImportResult {
  readonly created: number;
  readonly updated: number;
  readonly errors: number;
  /** `Line <n>: <why>`, by line; of the first {@link ERRORS_LISTED}. */
  readonly errorsList: readonly string[];
}

/** What a row becomes, all of it checked. */
interface RowPlan {
  readonly name: string;
  readonly content: RowContent;
  readonly credentials: CredentialsRequest | undefined;
  readonly shared: readonly KeyValue[];
  readonly server: readonly KeyValue[];
  readonly telemetry: RecordLines;
}

/** Rows under way at the same time. */
const CONCURRENT = 16;
const ERRORS_LISTED = 1_000;
/** Rows after which others get their turn: wrong ones wait for nothing else. */
const ROWS_A_TURN = 100;

export interface ImportParts {
  readonly devices: Devices;
  readonly newDevices: NewDevices;
  readonly attributes: Attributes;
  readonly telemetry: Telemetry;
  readonly payload: PayloadSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Devices out of a list, a row for each: of a name that is there already the row changes the device. */
export class DeviceImport {
  constructor(
    private readonly parts: ImportParts,
    private readonly maxRows: number,
  ) {}

  /**
   * Each row is checked before anything of it is written, and a device that cannot be given all that its row says is
   * removed again. Rows of one name are done in their order.
   * @param rows read twice: they are counted before the first is imported
   * @throws TandemError BAD_REQUEST for too many rows; what it is when it makes no sense to go on (STORE_UNAVAILABLE, BACKLOG_FULL), or the signal's reason: rows that
   * were done stay done
   */
  async run(
    tenantId: Uuid,
    mapping: ImportMapping,
    rows: () => AsyncIterable<ImportRow>,
    { update, signal }: ImportOptions,
  ): Promise<ImportResult> {
    await this.#requireFew(rows(), signal);
    const tally = new Tally();
    const underWay = new Set<Promise<void>>();
    const ofName = new Map<string, Promise<void>>();
    try {
      for await (const row of inTurns(rows(), signal)) {
        tally.throwIfHopeless();
        const plan = tally.attempt(row.line, () => this.#plan(mapping, row));
        if (!plan) continue;
        const before = ofName.get(plan.name) ?? Promise.resolve();
        const work = before.then(() => tally.count(row.line, () => this.#save(tenantId, plan, update)));
        const done: Promise<void> = work.then(() => {
          underWay.delete(done);
          if (ofName.get(plan.name) === done) ofName.delete(plan.name);
        });
        underWay.add(done);
        ofName.set(plan.name, done);
        if (underWay.size >= CONCURRENT) await Promise.race(underWay);
      }
    } finally {
      await Promise.all(underWay);
    }
    tally.throwIfHopeless();
    return tally.result();
  }

  async #requireFew(rows: AsyncIterable<ImportRow>, signal: AbortSignal): Promise<void> {
    let count = 0;
    for await (const _ of inTurns(rows, signal)) {
      if (++count <= this.maxRows) continue;
      throw new TandemError('BAD_REQUEST', {
        message: `The list has more than ${this.maxRows} rows: send it in parts. Nothing was imported`,
      });
    }
  }

  #plan(mapping: ImportMapping, row: ImportRow): RowPlan {
    if ('fault' in row) throw new TandemError('BAD_REQUEST', { message: row.fault });
    const content = mapping.read(row.values);
    const credentials = credentialsOf(content);
    if (credentials) credentialsContent(credentials);
    return {
      name: content.fields.get('NAME') ?? '',
      content,
      credentials,
      shared: this.#entries(content, 'SHARED_ATTRIBUTE'),
      server: this.#entries(content, 'SERVER_ATTRIBUTE'),
      telemetry: parseTelemetry(objectOf(content, 'TIMESERIES'), this.parts.clock.now(), this.parts.payload).lines,
    };
  }

  #entries(content: RowContent, type: ImportColumnType): readonly KeyValue[] {
    return parseAttributes(objectOf(content, type), this.parts.payload).entries;
  }

  async #save(tenantId: Uuid, plan: RowPlan, update: boolean): Promise<'created' | 'updated'> {
    const before = await this.#find(tenantId, plan);
    const { device, isNew } = before ? { device: before, isNew: false } : await this.#create(tenantId, plan);
    if (isNew) {
      await this.#complete(device, plan);
      return 'created';
    }
    await this.#change(device, plan);
    if (update) await this.#saveValues(device.id, plan);
    return 'updated';
  }

  async #find(tenantId: Uuid, { name }: RowPlan): Promise<Device | undefined> {
    return name === '' ? undefined : this.parts.devices.find(tenantId, name);
  }

  /** Or the device of the name that another import has made between the look and this. */
  async #create(tenantId: Uuid, plan: RowPlan): Promise<{ readonly device: Device; readonly isNew: boolean }> {
    try {
      const device = await this.parts.newDevices.create(tenantId, requestOf(plan), plan.credentials);
      return { device, isNew: true };
    } catch (error) {
      if (TandemError.from(error).code !== 'BAD_REQUEST') throw error;
      const device = await this.#find(tenantId, plan);
      if (!device) throw error;
      return { device, isNew: false };
    }
  }

  /** A new device has all that its row says, or is not there. */
  async #complete({ tenantId, id }: Device, plan: RowPlan): Promise<void> {
    try {
      await this.#saveValues(id, plan);
    } catch (error) {
      const { devices, logger } = this.parts;
      await devices
        .delete(tenantId, id)
        .catch((cause) => logger.warn('half an imported device stays', { deviceId: id, error: String(cause) }));
      throw error;
    }
  }

  async #change(stored: Device, plan: RowPlan): Promise<void> {
    const { devices } = this.parts;
    const request = { ...requestOf(plan, stored), id: stored.id };
    if (plan.credentials && (await this.#areNew(stored, plan.credentials))) {
      await devices.updateWithCredentials(stored.tenantId, request, plan.credentials);
    } else {
      await devices.update(stored.tenantId, request);
    }
  }

  /** Sessions of the device end with other credentials: not without need. */
  async #areNew({ tenantId, id }: Device, request: CredentialsRequest): Promise<boolean> {
    const stored = await this.parts.devices.credentials(tenantId, id);
    const { credentialsType, credentialsId, credentialsValue } = credentialsContent(request);
    return (
      stored.credentialsType !== credentialsType ||
      stored.credentialsId !== credentialsId ||
      stored.credentialsValue !== credentialsValue
    );
  }

  async #saveValues(deviceId: Uuid, { shared, server, telemetry }: RowPlan): Promise<void> {
    const { attributes } = this.parts;
    if (shared.length > 0) await attributes.saveFromServer(deviceId, 'SHARED', shared);
    if (server.length > 0) await attributes.saveFromServer(deviceId, 'SERVER', server);
    if (telemetry !== '') await this.parts.telemetry.saveFromServer(deviceId, telemetry, undefined);
  }
}

/** @throws the signal's reason */
async function* inTurns(rows: AsyncIterable<ImportRow>, signal: AbortSignal): AsyncGenerator<ImportRow> {
  let count = 0;
  for await (const row of rows) {
    if (++count % ROWS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    yield row;
  }
}

function credentialsOf({ fields }: RowContent): CredentialsRequest | undefined {
  const certificate = fields.get('X509');
  if (certificate !== undefined) return { credentialsType: 'X509_CERTIFICATE', credentialsValue: certificate };
  const [identity, key] = [fields.get('PSK_IDENTITY'), fields.get('PSK_KEY')];
  if (identity !== undefined || key !== undefined) {
    return { credentialsType: 'PSK', credentialsId: identity, credentialsValue: key };
  }
  const token = fields.get('ACCESS_TOKEN');
  return token === undefined ? undefined : { credentialsType: 'ACCESS_TOKEN', credentialsId: token };
}

/** @param stored keeps what the row says nothing of */
function requestOf({ name, content: { fields } }: RowPlan, stored?: Device): DeviceRequest {
  const type = fields.get('TYPE');
  return {
    name,
    type,
    deviceProfileId: type === undefined ? stored?.deviceProfileId : undefined,
    label: fields.get('LABEL') ?? stored?.label,
    additionalInfo: infoOf(fields, stored?.additionalInfo ?? null),
    firmwareId: stored?.firmwareId ?? undefined,
    softwareId: stored?.softwareId ?? undefined,
  };
}

/** `description` and `gateway` in what is there else. */
function infoOf(fields: RowContent['fields'], stored: string | null): string | null {
  const [description, gateway] = [fields.get('DESCRIPTION'), fields.get('IS_GATEWAY')];
  if (description === undefined && gateway === undefined) return stored;
  const members = new Map(splitJsonObject(stored ?? '{}'));
  if (description !== undefined) members.set('description', JSON.stringify(description));
  if (gateway !== undefined) members.set('gateway', String(gateway.toLowerCase() === 'true'));
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
}

/** As a device would send it: `true` and `false` are truth values, everything else a text that may be a number. */
function objectOf({ values }: RowContent, type: ImportColumnType): Buffer {
  const members = [...(values.get(type) ?? [])].map(([key, text]) => {
    const lower = text.toLowerCase();
    return `${quote(key)}:${lower === 'true' || lower === 'false' ? lower : quote(text)}`;
  });
  return Buffer.from(`{${members.join(',')}}`);
}

/** Counts what becomes of the rows. */
class Tally {
  #created = 0;
  #updated = 0;
  readonly #faults: { readonly line: number; readonly message: string }[] = [];
  #errors = 0;
  #hopeless: TandemError | undefined;

  /** What `step` gives; undefined when the row cannot be done. */
  attempt<T>(line: number, step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      this.#fail(line, error);
      return undefined;
    }
  }

  async count(line: number, step: () => Promise<'created' | 'updated'>): Promise<void> {
    try {
      if ((await step()) === 'created') this.#created++;
      else this.#updated++;
    } catch (error) {
      this.#fail(line, error);
    }
  }

  /** @throws TandemError what went wrong and would with every other row */
  throwIfHopeless(): void {
    if (!this.#hopeless) return;
    const done = this.#created + this.#updated;
    const message = `${this.#hopeless.message}. Of the rows ${done} were imported: they can be imported again with the rest`;
    throw new TandemError(this.#hopeless.code, { message, retryAfter: this.#hopeless.retryAfter });
  }

  result(): ImportResult {
    const listed = this.#faults.sort((a, b) => a.line - b.line).map(({ line, message }) => `Line ${line}: ${message}`);
    return { created: this.#created, updated: this.#updated, errors: this.#errors, errorsList: listed };
  }

  #fail(line: number, thrown: unknown): void {
    const error = TandemError.from(thrown);
    if (ERRORS[error.code].retryable) this.#hopeless ??= error;
    this.#errors++;
    if (this.#faults.length < ERRORS_LISTED) this.#faults.push({ line, message: error.message });
  }
}
