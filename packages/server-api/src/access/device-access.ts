import { type Device, type Devices, NULL_UUID, TandemError, type Uuid } from '@tandem/core';
import type { Principal } from '../auth/principal';

/**
 * The device, if the caller may see it: a tenant administrator those of the tenant, a customer's user those of the
 * customer. A foreign tenant's device is as absent as one that never was.
 * @throws TandemError NOT_FOUND, PERMISSION_DENIED
 */
export async function accessDevice(devices: Devices, { user }: Principal, id: Uuid): Promise<Device> {
  const device = await devices.get(user.tenantId, id);
  requireOwnDevice(user, device);
  return device;
}

/** @throws TandemError PERMISSION_DENIED */
function requireOwnDevice(user: Principal['user'], device: Device): void {
  if (!mayAccessDevice(user, device)) throw new TandemError('PERMISSION_DENIED');
}

/** @param device of the user's tenant */
export function mayAccessDevice(user: Principal['user'], device: Device): boolean {
  if (user.authority === 'TENANT_ADMIN') return true;
  const ownCustomer = user.authority === 'CUSTOMER_USER' && user.customerId !== NULL_UUID;
  return ownCustomer && device.customerId === user.customerId;
}

/** As {@link accessDevice}, in the words of the telemetry and RPC controllers (server contract 1.2). */
export async function accessRequestedDevice(devices: Devices, caller: Principal, id: Uuid): Promise<Device> {
  try {
    return await accessDevice(devices, caller, id);
  } catch (error) {
    if (error instanceof TandemError && error.code === 'NOT_FOUND') {
      throw new TandemError('NOT_FOUND', { message: "Device with requested id wasn't found!" });
    }
    throw error;
  }
}
