import type { AttributesRequest } from '@tandem/core';

/**
 * `clientKeys=a,b` and `sharedKeys=c` out of the Uri-Query options. An option must be one name, one `=` and a value that is
 * not empty; anything else is ignored, and the first match wins (contract 2.5.1).
 */
export function attributeQuery(options: readonly string[]): AttributesRequest {
  return { clientKeys: keysOf(options, 'clientKeys'), sharedKeys: keysOf(options, 'sharedKeys') };
}

function keysOf(options: readonly string[], name: string): string[] | undefined {
  for (const option of options) {
    const [key, value, ...more] = option.split('=');
    if (key !== name || !value || more.length > 0) continue;
    const keys = value.split(',');
    while (keys.at(-1) === '') keys.pop();
    return keys;
  }
  return undefined;
}
