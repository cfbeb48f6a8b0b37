/**
 * Statements of the RFCs that concern a server, each with the test that shows it. `docs/reference/coap-conformance.md` is
 * generated from the calls of these two functions (`npm run docs`).
 */
export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY' | 'describes';

export interface Statement {
  /** `'RFC 7252'` */
  readonly rfc: string;
  /** `'4.2'` */
  readonly section: string;
  readonly level: Level;
  /** In our own words, as a sentence about what the server does. */
  readonly says: string;
  /** Why there is no test: what the statement asks for does not exist here, or is done otherwise. */
  readonly why?: string;
}

/** Where statements go when nobody runs them: set by the generator of the page. */
interface Collector {
  conformance?: Statement[];
}

/** The statements of one RFC: `shows` is a test of its own, named by paragraph; `leaves` is one that is not followed. */
export function statementsOf(rfc: string) {
  const collected = (globalThis as Collector).conformance;
  const keep = (section: string, level: Level, says: string, why?: string) =>
    collected?.push({ rfc, section, level, says, why });
  return {
    shows(section: string, level: Level, says: string, run: () => void | Promise<void>): void {
      if (collected) keep(section, level, says);
      else test(`${rfc} ${section} ${level}: ${says}`, async () => run());
    },
    leaves(section: string, level: Level, says: string, why: string): void {
      keep(section, level, says, why);
    },
  };
}
