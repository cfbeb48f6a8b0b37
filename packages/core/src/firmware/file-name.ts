/** What needs no quotes in a header (RFC 9110 section 5.6.2). */
const TOKEN = /^[\w.!#$&+^`|~-]+$/;

/**
 * `Content-Disposition` and `x-filename` of a download (device contract 7.3): the name as it stands where that is possible,
 * else as RFC 6266 wants it.
 */
export function fileNameHeaders(name: string): Readonly<Record<string, string>> {
  if (TOKEN.test(name)) return { 'Content-Disposition': `attachment;filename=${name}`, 'x-filename': name };
  const encoded = encodeURIComponent(Buffer.from(name).toString()).replace(/['()*]/g, percent);
  // For those who do not know the other form.
  const plain = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  return { 'Content-Disposition': `attachment;filename="${plain}";filename*=UTF-8''${encoded}`, 'x-filename': encoded };
}

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
