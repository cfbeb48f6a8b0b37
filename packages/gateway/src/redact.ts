/** Names of fields whose content never reaches a log line, whoever logs them. */
const SECRET_FIELD = /token|password|secret|authorization|provisiondevicekey|credentialsid|credentialsvalue/i;
/** The token segment of a device path, wherever a path turns up in a text. */
const TOKEN_IN_PATH = /(\/api\/v1\/|\/(?:fw|sw)\/)([^/\s?"']+)/g;
const BEARER = /\b(Bearer )[^\s"']+/gi;
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const REDACTED = '[redacted]';

/** A JSON.stringify replacer: the last guard before a line is written. */
export function redact(name: string, value: unknown): unknown {
  if (SECRET_FIELD.test(name) && value != null && typeof value !== 'boolean') return REDACTED;
  if (value instanceof Error) return redactText(value.stack ?? value.message);
  return typeof value === 'string' ? redactText(value) : value;
}

export const redactText = (text: string): string =>
  text.replace(TOKEN_IN_PATH, `$1${REDACTED}`).replace(BEARER, `$1${REDACTED}`).replace(JWT, REDACTED);
