/**
 * An entity with `additionalInfo`, as text: that is JSON whose numbers keep their own (server contract 1.4).
 * @param head members before it @param rest members behind it
 */
export function withAdditionalInfo(head: object, additionalInfo: string | null, rest: object): string {
  return `{${membersOf(head)},"additionalInfo":${additionalInfo ?? 'null'},${membersOf(rest)}}`;
}

const membersOf = (object: object) => JSON.stringify(object).slice(1, -1);
