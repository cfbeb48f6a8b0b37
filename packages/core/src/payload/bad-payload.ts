import { TandemError } from '../errors';
import { type JsonNode, renderNode } from './json-node';

/** @param message said to the device in place of the row's sentence */
export const badPayload = (message: string): TandemError => new TandemError('BAD_PAYLOAD', { message });

const SHOWN_CHARACTERS = 200;

/** The document, or an element of it, is JSON of a shape that the resource does not take (contract 3.7). */
export const cannotParseValue = (node: JsonNode): TandemError =>
  badPayload(`Can't parse value: ${renderNode(node).slice(0, SHOWN_CHARACTERS)}`);
