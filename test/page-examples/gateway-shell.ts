import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_PASSWORD, type GatewayProcess, temporaryFolder } from '../support/gateway-process';
import { Shell } from './shell';

export interface GatewayShell {
  /** Where its commands run. */
  readonly folder: string;
  readonly shell: Shell;
}

/**
 * A shell in a folder of its own that knows the gateway by the names of the pages.
 * @param path that of these tests where left out
 */
export function shellFor(gateway: GatewayProcess, path = process.env.PATH ?? ''): GatewayShell {
  const folder = temporaryFolder();
  const home = join(folder, 'home');
  mkdirSync(home);
  const shell = new Shell(folder, {
    PATH: path,
    HOME: home,
    TANDEM_HOST: '127.0.0.1',
    HTTP_BIND_PORT: String(gateway.http),
    COAP_BIND_PORT: String(gateway.coap),
    TANDEM_ADMIN_PASSWORD: ADMIN_PASSWORD,
  });
  return { folder, shell };
}
