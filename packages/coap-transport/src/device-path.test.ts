import { parseDevicePath } from './device-path';

const feature = (name: string, token?: string, requestId?: number) => ({
  kind: 'feature',
  feature: name,
  token,
  requestId,
});

describe('a path means (contract 2.3)', () => {
  it.each<[options: string[], meaning: object]>([
    [['api', 'v1', 'tok', 'attributes'], feature('attributes', 'tok')],
    [['api', 'v1', 'tok', 'telemetry'], feature('telemetry', 'tok')],
    [['api', 'v1', 'tok', 'rpc'], feature('rpc', 'tok')],
    [['api', 'v1', 'tok', 'rpc', '7'], feature('rpc', 'tok', 7)],
    [['api', 'v1', 'tok', 'rpc', 'x'], feature('rpc', 'tok')],
    [['api', 'v1', 'tok', 'claim'], feature('claim', 'tok')],
    [['api', 'v1', 'attributes'], feature('attributes')],
    [['api', 'v1', 'rpc', '5'], feature('rpc', undefined, 5)],
    [['api', 'v1', 'rpc', 'rpc'], feature('rpc', 'rpc')],
    [['api', 'v1', 'telemetry', '123'], feature('telemetry')],
    [['api', 'v1', '12345', 'telemetry'], feature('telemetry', '12345')],
    [['api', 'v1', '12345', 'rpc', '3'], feature('rpc', '12345', 3)],
    [['api', 'v1', 'tok', 'TeleMetry'], feature('telemetry', 'tok')],
    [['api', 'v1', 'tok', 'telemetry', 'more', 'of', 'it'], feature('telemetry', 'tok')],
    [['api', 'v1', 'provision'], feature('provision')],
    [['api', 'v1', 'anything', 'provision'], feature('provision', 'anything')],
    [['api', 'provision', 'x'], feature('provision')],
    [['api/v1/tok/telemetry'], feature('telemetry', 'tok')],
    [['/api/v1/tok/rpc/9/'], feature('rpc', 'tok', 9)],
    [['api', 'v1', 'a/b', 'telemetry'], feature('telemetry', 'a/b')],
    [['api', 'v1', '', 'telemetry'], feature('telemetry', '')],
    [['api', 'v1', 'tok', 'foo'], { kind: 'no-feature' }],
    [['api', 'v1', 'toString'], { kind: 'no-feature' }],
    [['api', 'v1', ''], { kind: 'no-feature' }],
    [['api', 'v1'], { kind: 'no-feature' }],
    [['api'], { kind: 'api' }],
    [[], { kind: 'root' }],
    [[''], { kind: 'root' }],
    [['/'], { kind: 'root' }],
    [['.well-known', 'core'], { kind: 'discovery' }],
    [['.well-known', 'core', 'x'], { kind: 'foreign' }],
    [['.well-known'], { kind: 'foreign' }],
    [['xyz'], { kind: 'foreign' }],
    [['API', 'v1', 'tok', 'telemetry'], { kind: 'foreign' }],
  ])('%j', (options, meaning) => {
    expect(parseDevicePath(options)).toEqual(meaning);
  });
});
