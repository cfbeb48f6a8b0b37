const SHOWN = 64;

/** A name that a stranger has made up, for a line of the log: short, and one line whatever is in it. */
export function shownName(name: string): string | undefined {
  if (name === '') return undefined;
  const safe = name.slice(0, SHOWN).replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '\ufffd');
  return name.length > SHOWN ? `${safe}...` : safe;
}
