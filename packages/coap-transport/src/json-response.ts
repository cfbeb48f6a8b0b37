/** Content-Format of JSON (RFC 7252 section 12.3); always this one, whatever the request carried (contract 2.7). */
export const JSON_FORMAT = 50;
export const LINK_FORMAT = 40;
