import type { Core, Device, DeviceInfo, TransportType } from '@tandem/core';
import { DeviceTexts, deviceJson } from '../json/device-json';
import { jsonText, type Reply } from '../routing/reply';

/** Devices as JSON, each with the transport of its profile. */
export function deviceRenderer({ profileTransports }: Pick<Core, 'profileTransports'>) {
  /** No promise for a device whose profile is known: there may be thousands in one answer. */
  const inOrder = async <T>(
    items: readonly T[],
    deviceOf: (item: T) => Device,
    render: (item: T, transport: TransportType) => string,
  ): Promise<string[]> => {
    const texts: string[] = [];
    for (const item of items) {
      const { deviceProfileId } = deviceOf(item);
      const transport = profileTransports.cached(deviceProfileId) ?? (await profileTransports.of(deviceProfileId));
      texts.push(render(item, transport));
    }
    return texts;
  };

  return {
    one: async (device: Device): Promise<Reply> =>
      jsonText(deviceJson(device, await profileTransports.of(device.deviceProfileId))),

    texts(devices: readonly Device[]): Promise<string[]> {
      const texts = new DeviceTexts();
      return inOrder(
        devices,
        (device) => device,
        (device, transport) => texts.device(device, transport),
      );
    },

    infoTexts(infos: readonly DeviceInfo[]): Promise<string[]> {
      const texts = new DeviceTexts();
      return inOrder(
        infos,
        ({ device }) => device,
        ({ device, ...surroundings }, transport) => texts.info(device, { ...surroundings, transport }),
      );
    },
  };
}
