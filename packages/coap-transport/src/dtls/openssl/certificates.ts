import { BIO_CTRL } from './constants';
import type { MaybePointer, OpenSsl, Pointer } from './library';

/** A BIO in memory: OpenSSL's byte stream. The caller frees it. */
export function memoryBio(ssl: OpenSsl, content?: Buffer): Pointer {
  const bio = ssl.BIO_new(ssl.BIO_s_mem());
  // Empty is "come again" and not the end.
  ssl.BIO_ctrl(bio, BIO_CTRL.SET_BUF_MEM_EOF_RETURN, -1, null);
  if (content !== undefined) ssl.BIO_write(bio, content, content.length);
  return bio;
}

/** Everything that is in it. */
export function readAll(ssl: OpenSsl, bio: Pointer): Buffer {
  const bytes = Buffer.alloc(ssl.BIO_ctrl_pending(bio));
  if (bytes.length > 0) ssl.BIO_read(bio, bytes, bytes.length);
  return bytes;
}

export function certificateDer(ssl: OpenSsl, certificate: Pointer): Buffer {
  const bio = memoryBio(ssl);
  try {
    ssl.i2d_X509_bio(bio, certificate);
    return readAll(ssl, bio);
  } finally {
    ssl.BIO_free(bio);
  }
}

type PemReader = (bio: Pointer, x: null, callback: null, u: null) => MaybePointer;

/** Each object of one kind that a PEM text holds. Others in it are passed over. The caller frees them. */
export function readPem(ssl: OpenSsl, pem: string, read: PemReader): Pointer[] {
  const bio = memoryBio(ssl, Buffer.from(pem));
  const found: Pointer[] = [];
  try {
    for (let next = read(bio, null, null, null); next !== null; next = read(bio, null, null, null)) found.push(next);
  } finally {
    ssl.BIO_free(bio);
    // The end of the text is an error to OpenSSL.
    ssl.ERR_clear_error();
  }
  return found;
}
