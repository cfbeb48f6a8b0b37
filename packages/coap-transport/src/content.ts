import type { WrittenMessage } from '@tandem/core';

/** 2.05 with what the domain has to say. */
export interface Content {
  readonly code: '2.05';
  readonly payload: Buffer | string;
  readonly contentFormat: number;
}

export const content = ({ payload, format }: WrittenMessage): Content => ({
  code: '2.05',
  payload,
  contentFormat: format.contentFormat,
});
