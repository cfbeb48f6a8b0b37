import { BUILT_IN_CODECS } from '../built-in-codecs';
import { faultOfCodec } from './check-codec';
import type { PayloadCodec } from './payload-codec';

const codec: PayloadCodec = {
  name: 'own',
  mediaTypes: ['text/x-own'],
  contentFormat: 65_000,
  decode: () => '{}',
  encode: () => Buffer.alloc(0),
};

describe('A codec', () => {
  it.each([
    ['with everything', {}],
    ['without a Content-Format', { contentFormat: undefined }],
    ['without a media type', { mediaTypes: [] }],
    ['for some kinds', { kinds: ['telemetry', 'update'] }],
    ['for octets of any kind over HTTP', { mediaTypes: ['application/octet-stream'] }],
  ])('%s is one', (_what, change) => {
    expect(faultOfCodec({ ...codec, ...change }, BUILT_IN_CODECS)).toBeUndefined();
  });

  it.each([
    [undefined, 'is not an object'],
    [null, 'is not an object'],
    [{ ...codec, name: 'Own' }, 'needs a `name`'],
    [{ ...codec, name: undefined }, 'needs a `name`'],
    [{ ...codec, name: 'json' }, 'is called json'],
    [{ ...codec, name: 'cbor' }, 'is called cbor'],
    [{ ...codec, decode: undefined }, 'needs the functions'],
    [{ ...codec, encode: 'x' }, 'needs the functions'],
    [{ ...codec, mediaTypes: undefined }, 'needs `mediaTypes`, a list'],
    [{ ...codec, mediaTypes: 'text/x-own' }, 'needs `mediaTypes`, a list'],
    [{ ...codec, mediaTypes: ['text/X-own'] }, 'names "text/X-own"'],
    [{ ...codec, mediaTypes: ['text/own; charset=utf-8'] }, 'which is no media type'],
    [{ ...codec, mediaTypes: ['*/*'] }, 'which is no media type'],
    [{ ...codec, mediaTypes: [5] }, 'names 5'],
    [{ ...codec, mediaTypes: ['text/a', 'text/a'] }, 'names a media type twice'],
    [{ ...codec, mediaTypes: ['application/json'] }, 'names the media type application/json'],
    [{ ...codec, mediaTypes: ['application/x-protobuf'] }, 'names the media type application/x-protobuf'],
    [{ ...codec, mediaTypes: ['application/protobuf'] }, 'names the media type application/protobuf'],
    [{ ...codec, mediaTypes: ['application/senml+json'] }, 'names the media type application/senml+json'],
    [{ ...codec, contentFormat: 50 }, 'names the Content-Format 50'],
    [{ ...codec, contentFormat: 0 }, 'names the Content-Format 0'],
    [{ ...codec, contentFormat: 40 }, 'names the Content-Format 40'],
    [{ ...codec, contentFormat: 42 }, 'names the Content-Format 42'],
    [{ ...codec, decode: async () => '{}' }, 'that answer at once'],
    [{ ...codec, encode: async () => Buffer.alloc(0) }, 'that answer at once'],
    [{ ...codec, contentFormat: 110 }, 'names the Content-Format 110'],
    [{ ...codec, contentFormat: 65_536 }, 'needs a `contentFormat` from 0 to 65535'],
    [{ ...codec, contentFormat: 1.5 }, 'needs a `contentFormat` from 0 to 65535'],
    [{ ...codec, contentFormat: '60' }, 'needs a `contentFormat` from 0 to 65535'],
    [{ ...codec, contentFormat: undefined, mediaTypes: [] }, 'needs a media type or a `contentFormat`'],
    [{ ...codec, kinds: [] }, 'needs `kinds` out of telemetry, '],
    [{ ...codec, kinds: ['telemetry', 'rpc'] }, 'needs `kinds` out of telemetry, '],
  ])('%#: one with a fault is told it: %s', (candidate, fault) => {
    expect(faultOfCodec(candidate, BUILT_IN_CODECS)).toContain(fault);
  });

  it('whose properties throw is told what they threw', () => {
    const thrower = { ...codec };
    Object.defineProperty(thrower, 'mediaTypes', {
      get() {
        throw new Error('no such file');
      },
    });
    expect(faultOfCodec(thrower, BUILT_IN_CODECS)).toBe('cannot be read: no such file');
  });

  it('cannot share a name with one that came before', () => {
    expect(faultOfCodec({ ...codec, mediaTypes: ['text/b'], contentFormat: 1 }, [codec])).toContain('is called own');
  });
});
