import type { Core } from '@tandem/core';
import { accessDevice } from '../access/device-access';
import { uuidParameter } from '../http/path';
import { DEVICE_ANSWER } from '../json/device-json';
import { jsonAnswer } from '../routing/answer';
import type { Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_ONLY } from '../routing/route';
import { deviceRenderer } from './device-renderer';

/** Server contract 2, the rows about devices of customers. */
export function deviceAssignmentRoutes(core: Core): Route[] {
  const { devices, customers } = core;
  const { one } = deviceRenderer(core);

  const assign = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const customerId = uuidParameter(params, 'customerId');
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    return one(await devices.assign(device.tenantId, device.id, customerId));
  };

  /** Everybody who knows the id of the public customer may see the device from then on. */
  const publish = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    const { id } = await customers.findOrCreatePublic(device.tenantId);
    return one(await devices.assign(device.tenantId, device.id, id));
  };

  const unassign = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    return one(await devices.unassign(device.tenantId, device.id));
  };

  const tenant = { authorities: TENANT_ONLY, refusal: 'json', answer: jsonAnswer(DEVICE_ANSWER) } as const;
  return [
    {
      ...tenant,
      method: 'POST',
      path: '/api/customer/{customerId}/device/{deviceId}',
      summary: 'Assign a device to a customer',
      handle: assign,
    },
    {
      ...tenant,
      method: 'POST',
      path: '/api/customer/public/device/{deviceId}',
      summary: 'Assign a device to the public customer',
      handle: publish,
    },
    {
      ...tenant,
      method: 'DELETE',
      path: '/api/customer/device/{deviceId}',
      summary: 'Take a device from its customer',
      handle: unassign,
    },
  ];
}
