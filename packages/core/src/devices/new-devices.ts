import type { Connectivity } from '../connectivity/connectivity';
import type { Logger } from '../platform/logger';
import type { CredentialsContent, CredentialsRequest } from './device-credentials';
import type { DeviceRequest, Devices } from './devices';
import type { Device, Uuid } from './model';

/** Makes devices that are complete: with credentials, and known to be inactive (server contract 3.2). */
export class NewDevices {
  constructor(
    private readonly devices: Devices,
    private readonly connectivity: Pick<Connectivity, 'created'>,
    private readonly logger: Logger,
  ) {}

  /** @throws TandemError as {@link Devices.create} */
  async create(tenantId: Uuid, request: DeviceRequest, credentials: CredentialsRequest = {}): Promise<Device> {
    return this.complete(await this.devices.create(tenantId, request, credentials));
  }

  /** @throws TandemError as {@link Devices.createWith} */
  async createWith(tenantId: Uuid, request: DeviceRequest, credentials: CredentialsContent): Promise<Device> {
    return this.complete(await this.devices.createWith(tenantId, request, credentials));
  }

  /** What there is to do about a device that is made. Twice is as once. */
  async complete(device: Device): Promise<Device> {
    // The device is there whatever becomes of this: a failure here must not say that it is not.
    await this.connectivity
      .created(device.id)
      .catch((error) =>
        this.logger.warn('state of a new device not written', { deviceId: device.id, error: String(error) }),
      );
    return device;
  }
}
