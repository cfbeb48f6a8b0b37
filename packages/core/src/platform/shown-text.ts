const SHOWN = 64;

/** Text that a stranger has made up, for a line of the log: short, and one line whatever is in it. */
export function shownText(text: string): string | undefined {
  if (text === '') return undefined;
  const safe = text.slice(0, SHOWN).replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '\ufffd');
  return text.length > SHOWN ? `${safe}...` : safe;
}
