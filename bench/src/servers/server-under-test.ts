export type Protocol = 'http' | 'coap';

/** A running server process that takes the telemetry load. */
export interface ServerUnderTest {
  readonly name: string;
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  /** Access tokens of devices that the server knows. */
  readonly tokens: readonly string[];
  /** How it ended and what it wrote last, when it is not running any more. */
  ended(): Error | undefined;
  stop(): Promise<void>;
}

/** Tokens of the simulated devices: 20 characters, as ThingsBoard makes them. */
export function deviceTokens(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `benchdevice${String(i).padStart(9, '0')}`);
}
