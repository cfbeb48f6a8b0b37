/**
 * Whether a text is the same after it was stored. Half a surrogate pair has no UTF-8, so that different names would become
 * one; U+0000 divides the parts of keys in the stores.
 */
export const isStorableText = (text: string): boolean => !text.includes('\u0000') && !/\p{Surrogate}/u.test(text);

/** What is asked of such a text, after its name. */
export const STORABLE_SENTENCE = 'must be well-formed Unicode without the character U+0000';
