/**
 * Bytes of UTF-8 of the largest message that the materialiser of a store takes: its thread has a heap that holds such a one a
 * few times over. What is larger, as only a former version has accepted it, is passed over.
 */
export const MATERIALISER_MESSAGE_MAX = 64 * 1024 * 1024;
