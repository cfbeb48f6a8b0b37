export const VARIABLE: 'TANDEM_TEST_LOGS';
export const SHORTEST: number;
export function keepLogs(): void;
export function addSecret(folder: string, writer: string, secret: string, test: string): void;
export function addLog(folder: string, writer: string, text: string): void;

export interface Leak {
  readonly log: string;
  readonly test: string;
  readonly form: string;
  readonly line: string;
}

export function scan(folder: string): {
  readonly secrets: number;
  readonly logs: number;
  readonly bytes: number;
  readonly leaks: readonly Leak[];
};
