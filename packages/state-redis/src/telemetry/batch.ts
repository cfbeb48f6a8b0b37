import type { Millis, TandemError, Timer } from '@tandem/core';

/** Bounds of one batch. */
const MAX_ENTRIES = 1_000;
const MAX_BYTES = 1_000_000;

/** Messages that go to Redis as one call. They share the promise of its answer. */
export class Batch {
  /** Device and records by turns, as telemetry-append.lua takes them. */
  readonly texts: string[] = [];
  bytes = 0;
  /** Undefined until it is sent for the first time. */
  number: number | undefined;
  /** How often it was sent. */
  attempts = 0;
  /** Ends it when it has taken too long. */
  timer: Timer | undefined;
  settle!: (failure?: TandemError) => void;
  readonly committed = new Promise<void>((resolve, reject) => {
    this.settle = (failure) => (failure ? reject(failure) : resolve());
  });

  get entries(): number {
    return this.texts.length / 2;
  }

  get full(): boolean {
    return this.entries >= MAX_ENTRIES || this.bytes >= MAX_BYTES;
  }

  add(device: string, text: string, bytes: number): void {
    this.texts.push(device, text);
    this.bytes += bytes;
  }
}

const FIRST_PAUSE: Millis = 20;
const MAX_PAUSE: Millis = 500;

/** How long to wait before a batch is sent again. */
export const pauseBefore = (attempt: number): Millis => Math.min(FIRST_PAUSE * 2 ** Math.min(attempt, 10), MAX_PAUSE);
