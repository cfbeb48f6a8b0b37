import { type LoginOptions, loginOf } from '../server-api-client/login';
import { ServerApiClient } from '../server-api-client/server-api-client';
import { DeviceCopier, type DeviceInfo } from './device-copier';
import { eachOf } from './pages';

export interface CopyCommandOptions extends LoginOptions {
  readonly from: string;
  readonly fromUsername?: string;
  readonly fromPasswordFile?: string;
  readonly fromApiKey?: string;
  readonly url: string;
  /** Whether what belongs to devices that are there already is written as well. */
  readonly update: boolean;
}

/** What refers to other entities of the old server, which are others here or none. */
const REFERENCES = [
  'id',
  'tenantId',
  'createdTime',
  'version',
  'externalId',
  'firmwareId',
  'softwareId',
  'defaultRuleChainId',
  'defaultDashboardId',
  'defaultEdgeRuleChainId',
  'customMenuId',
];

/**
 * `tandem devices copy`: takes profiles, customers and devices over from a server that speaks ThingsBoard's REST calls. At that
 * it only reads. What is there by name stays as it is, so it can be run again.
 * @param print a line about each thing that was not copied, and one about all of them
 * @returns whether everything is there now
 * @throws Error that says in one line what is in the way
 */
export async function copyDevices(options: CopyCommandOptions, print: (line: string) => void): Promise<boolean> {
  const { fromUsername, fromPasswordFile, fromApiKey, update } = options;
  const login = { username: fromUsername, passwordFile: fromPasswordFile, apiKey: fromApiKey };
  const from = new ServerApiClient(options.from, loginOf(login, 'from-'), 'The old server');
  const to = new ServerApiClient(options.url, loginOf(options));
  const total = { copied: 0, there: 0, failed: 0 };
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      total.failed++;
      print(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  const profiles = new Set(
    JSON.parse(await to.get('/api/deviceProfile/names')).map(({ name }: { name: string }) => name),
  );
  await eachOf<{ name: string }>(from, '/api/deviceProfiles', async (profile) => {
    if (profiles.has(profile.name)) return;
    const body = JSON.stringify({ ...withoutReferences(profile), default: false });
    await attempt(`Profile ${profile.name}`, async () => void (await to.post('/api/deviceProfile', body)));
  });
  await eachOf<CustomerJson>(from, '/api/customers', async (customer) => {
    // The public one is made by the first device that is given to it.
    if (customer.additionalInfo?.isPublic) return;
    await attempt(`Customer ${customer.title}`, async () => {
      if (await to.find(`/api/tenant/customers?customerTitle=${encodeURIComponent(customer.title)}`)) return;
      await to.post('/api/customer', JSON.stringify(withoutReferences(customer)));
    });
  });
  const copier = new DeviceCopier(from, to, update);
  const copyDevice = (device: DeviceInfo) =>
    attempt(`Device ${device.name}`, async () => {
      if (await copier.copy(device)) total.copied++;
      else total.there++;
    });
  await eachOf<DeviceInfo>(from, '/api/tenant/deviceInfos', copyDevice, (done, of) => {
    if (done < of) print(`${done} of ${of} devices looked at`);
  });
  print(`${total.copied} devices copied, ${total.there} were there, ${total.failed} not copied`);
  return total.failed === 0;
}

interface CustomerJson {
  readonly title: string;
  readonly additionalInfo?: { readonly isPublic?: boolean } | null;
}

const withoutReferences = (entity: object): object =>
  Object.fromEntries(Object.entries(entity).filter(([name]) => !REFERENCES.includes(name)));
