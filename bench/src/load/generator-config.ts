import type { BenchOptions } from '../options';
import type { Protocol, ServerUnderTest } from '../servers/server-under-test';
import type { GeneratorConfig } from './generator-messages';

export function generatorConfig(protocol: Protocol, server: ServerUnderTest, options: BenchOptions): GeneratorConfig {
  const { host, port, tokens } = server;
  return protocol === 'http'
    ? { load: protocol, host, port, tokens, connections: options.connections }
    : { load: protocol, host, port, tokens, peers: options.peers, window: options.window };
}
