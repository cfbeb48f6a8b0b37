/** Content-Format of link lists (RFC 6690 section 7.3). */
export const LINK_FORMAT = 40;
