import { fileAnswer } from './file-answer';

describe('The head of a file', () => {
  const file = { size: 10, etag: '"e"', name: 'fw.bin', contentType: null };
  const asked = (headers: Record<string, string>) => fileAnswer(file, (name) => headers[name]);

  it.each([
    ['text/plain', 'text/plain'],
    ['text/plain; charset="a b"', 'text/plain; charset="a b"'],
    ['application/vnd.x+json;v=1', 'application/vnd.x+json;v=1'],
    ['text/plain \t;  charset=utf-8', 'text/plain \t;  charset=utf-8'],
    ['text', 'application/octet-stream'],
    ['a/b\r\nX: y', 'application/octet-stream'],
    ['a/b;c="\n"', 'application/octet-stream'],
    ['a/b c', 'application/octet-stream'],
    ['', 'application/octet-stream'],
  ])('says of the type %j: %s', (contentType, said) => {
    expect(fileAnswer({ ...file, contentType }, () => undefined).headers['Content-Type']).toBe(said);
  });

  it('looks at conditions before the range', () => {
    expect(asked({ 'if-none-match': '*', range: 'bytes=1-' })).toMatchObject({ status: 304, length: 0 });
    expect(asked({ 'if-none-match': 'W/"e"' })).toMatchObject({ status: 304 });
    expect(asked({ 'if-none-match': '"x"', range: 'bytes=1-2' })).toMatchObject({ status: 206, start: 1, length: 2 });
    expect(asked({ 'if-range': 'Tue, 01 Dec 2026 00:00:00 GMT', range: 'bytes=1-2' })).toMatchObject({ status: 200 });
    expect(asked({ range: 'bytes=10-' })).toMatchObject({ status: 416, headers: { 'Content-Range': 'bytes */10' } });
  });

  it.each([
    ['"e"', 206],
    ['"x", "e"', 206],
    ['*', 206],
    ['"x"', 412],
    ['W/"e"', 412],
    ['e', 412],
    ['', 412],
  ])('with If-Match of %j is %i: before all other conditions, and by the strong tag alone', (tags, status) => {
    expect(asked({ 'if-match': tags, range: 'bytes=1-2' })).toMatchObject({ status });
    expect(asked({ 'if-match': tags, 'if-none-match': '*' })).toMatchObject({ status: status === 206 ? 304 : 412 });
    const beyond = asked({ 'if-match': tags, range: 'bytes=10-' });
    expect(beyond).toMatchObject({ status: status === 206 ? 416 : 412, length: 0, headers: { 'Content-Length': 0 } });
  });

  it('of nothing has no range', () => {
    expect(fileAnswer({ ...file, size: 0 }, () => undefined)).toMatchObject({ status: 200, start: 0, length: 0 });
    expect(fileAnswer({ ...file, size: 0 }, (name) => (name === 'range' ? 'bytes=0-' : undefined))).toMatchObject({
      status: 416,
    });
  });
});
