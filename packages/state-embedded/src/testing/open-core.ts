import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientRpcBackend,
  type Clock,
  type Core,
  type Logger,
  MetricsRegistry,
  makeCore,
  type PayloadCodec,
  readSettings,
  type State,
  systemClock,
  systemRandom,
} from '@tandem/core';
import { boundsOf, openEmbeddedState } from '../state';

export interface OpenCoreOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly backend?: ClientRpcBackend;
  readonly codecs?: readonly PayloadCodec[];
  readonly clock?: Clock;
  /** Puts faults in front of the store. */
  readonly over?: (state: State) => State;
  /** False: telemetry stays in the log. */
  readonly materialise?: boolean;
}

/** A core over a real store in a folder of its own, with one tenant. */
export interface OpenCore {
  readonly core: Core;
  readonly tenantId: string;
  /** Everything that was logged, a text for each. */
  readonly log: readonly string[];
  /** Removes the folder as well. */
  close(): Promise<void>;
}

export async function openCore(options: OpenCoreOptions = {}): Promise<OpenCore> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-core-'));
  const settings = readSettings({ MIN_SERVER_SIDE_RPC_TIMEOUT: '1', ...options.settings });
  const log: string[] = [];
  const platform = {
    clock: options.clock ?? systemClock,
    random: systemRandom,
    logger: recorder(log),
    metrics: new MetricsRegistry(),
  };
  const state = await openEmbeddedState({ folder, durability: 'process', ...boundsOf(settings), ...platform });
  if (options.materialise !== false) await state.materialiser.start();
  const core = makeCore(options.over?.(state) ?? state, settings, platform, options.backend, options.codecs);
  await core.accounts.ensureTenantAdmin('tenant@example.org', 'password', 'Tenant');
  const admin = await state.accounts.findUserByEmail('tenant@example.org');
  return {
    core,
    tenantId: admin?.tenantId ?? '',
    log,
    async close() {
      await core.state.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function recorder(lines: string[]): Logger {
  const write = (message: string, fields?: unknown) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { error: write, warn: write, info: write, debug: write, debugEnabled: true };
}
