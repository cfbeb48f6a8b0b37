/** What every simulated device posts, in every request: 51 bytes with one DOUBLE, one LONG and one STRING. */
export const TELEMETRY_BODY = '{"temperature":21.5,"humidity":48,"state":"running"}';
