import { EMPTY, expectAnswer } from './framework/http-vector';
import { REFUSED, telemetry } from './framework/payload-vector';
import type { Scene } from './framework/scene';
import { CAST_OFF, STRICT } from './framework/settings';
import type { Vector } from './framework/vector';

/** The same request over both protocols. */
async function both(scene: Scene, feature: 'telemetry' | 'attributes', body: string, expected: 'ok' | typeof REFUSED) {
  const accepted = expected === 'ok';
  const answer = await scene.http(`POST /tok1/${feature}`, body);
  expectAnswer(answer, accepted ? { status: 200, ...EMPTY } : { status: 400 });
  const response = await scene.ask(`POST /api/v1/tok1/${feature}`, body);
  expect(response).toMatchObject({ kind: accepted ? 'ACK 2.01' : 'ACK 4.00', text: '' });
}

/** The value of member `a`, as telemetry over HTTP and as attribute over CoAP. @param stored `LONG 42` */
const value = (no: string, text: string, stored: string): Vector => ({
  no,
  says: `value ${text}`,
  sideBySide: true,
  async run(scene) {
    const body = `{"a":${text}}`;
    expectAnswer(await scene.http('POST /tok1/telemetry', body), { status: 200, ...EMPTY });
    expect(await scene.stored('tok1')).toEqual([`a ${stored}`]);
    expect(await scene.ask('POST /api/v1/tok1/attributes', body)).toMatchObject({ kind: 'ACK 2.01', text: '' });
    expect(await scene.attributes('tok1')).toEqual([`a ${stored}`]);
  },
});

/** Contract 8.4. */
export const VALUE_TYPING: readonly Vector[] = [
  value('088', '42', 'LONG 42'),
  value('089', '42.0', 'DOUBLE 42.0'),
  value('090', '42.50', 'DOUBLE 42.5'),
  value('091', '-0', 'LONG 0'),
  value('092', '-0.0', 'DOUBLE 0.0'),
  value('093', '0.0', 'DOUBLE 0.0'),
  value('094', '1e5', 'LONG 100000'),
  value('095', '1E+1', 'LONG 10'),
  value('096', '101E-1', 'DOUBLE 10.1'),
  value('097', '1.5e1', 'LONG 15'),
  value('098', '1.0e2', 'LONG 100'),
  value('099', '1.5e0', 'DOUBLE 1.5'),
  value('100', '7e-06', 'DOUBLE 0.000007'),
  value('101', '1e-16', 'DOUBLE 1e-16'),
  value('102', '1e-17', 'STRING "0.00000000000000001"'),
  value('103', '0.1234567890123456', 'DOUBLE 0.1234567890123456'),
  value('104', '0.12345678901234567', 'STRING "0.12345678901234567"'),
  value('105', '1.00000000000000000', 'STRING "1.00000000000000000"'),
  value('106', '9007199254740993', 'LONG 9007199254740993'),
  value('107', '9223372036854775807', 'LONG 9223372036854775807'),
  value('108', '-9223372036854775808', 'LONG -9223372036854775808'),
  value('109', '9223372036854775808', 'STRING "9223372036854775808"'),
  value('110', '-9223372036854775809', 'STRING "-9223372036854775809"'),
  value('111', '1e19', 'STRING "10000000000000000000"'),
  value('112', '9.9701010061400066E19', 'STRING "99701010061400066000"'),
  value('113', '99701010061400066001', 'STRING "99701010061400066001"'),
  value('114', '1e400', `STRING "1${'0'.repeat(400)}"`),
  value('115', '"42"', 'LONG 42'),
  value('116', '"42.0"', 'DOUBLE 42.0'),
  value('117', '"1.10"', 'DOUBLE 1.1'),
  value('118', '"007"', 'LONG 7'),
  value('119', '"-5"', 'LONG -5'),
  value('120', '".5"', 'DOUBLE 0.5'),
  value('121', '"-.5"', 'DOUBLE -0.5'),
  value('122', '"+5"', 'STRING "+5"'),
  value('123', '"5."', 'STRING "5."'),
  value('124', '"1e5"', 'STRING "1e5"'),
  value('125', '" 42"', 'STRING " 42"'),
  value('126', '"1,5"', 'STRING "1,5"'),
  value('127', '"0x10"', 'STRING "0x10"'),
  value('128', '"1.2.3"', 'STRING "1.2.3"'),
  value('129', '""', 'STRING ""'),
  value('130', '"-"', 'STRING "-"'),
  value('131', '"true"', 'STRING "true"'),
  value('132', '"null"', 'STRING "null"'),
  value('133', '"{}"', 'STRING "{}"'),
  value('134', '"9223372036854775808"', 'STRING "9223372036854775808"'),
  value('135', '"٤٢"', 'LONG 42'),
  value('136', 'true', 'BOOLEAN true'),
  {
    no: '137',
    says: 'value null of a, of which there is an older value',
    sideBySide: true,
    async run(scene) {
      await both(scene, 'telemetry', '{"a":1}', 'ok');
      await both(scene, 'telemetry', '{"a":null}', 'ok');
      expect(await scene.stored('tok1')).toEqual(['a LONG 1', 'a LONG 1']);
      await both(scene, 'attributes', '{"a":1}', 'ok');
      await both(scene, 'attributes', '{"a":null}', 'ok');
      expect(await scene.attributes('tok1')).toEqual(['a LONG 1']);
    },
  },
  value('138', '{}', 'JSON {}'),
  value('139', '[]', 'JSON []'),
  value('140', '[1,2,3]', 'JSON [1,2,3]'),
  value('141', '{"b":[1,2.0,"7",null,true]}', 'JSON {"b":[1,2.0,"7",null,true]}'),
  value('142', '"<b>&"', 'STRING "<b>&"'),
  {
    no: '143',
    says: '42 versus 42.0 written one after the other to attribute a, then read',
    async run(scene) {
      for (const text of ['42', '42.0']) {
        expectAnswer(await scene.http('POST /tok1/attributes', `{"a":${text}}`), { status: 200, ...EMPTY });
        const read = { text: `{"client":{"a":${text}}}` };
        expectAnswer(await scene.http('GET /tok1/attributes?clientKeys=a'), { status: 200, ...read });
        expect(await scene.ask('GET /api/v1/tok1/attributes?clientKeys=a')).toMatchObject(read);
      }
    },
  },
  telemetry('144', '{"a":"42"}', ['a STRING "42"'], { says: 'cast switched off, value "42"', settings: CAST_OFF }),
  telemetry('145', '{"a":9223372036854775808}', REFUSED, {
    says: 'cast switched off, value 9223372036854775808',
    settings: CAST_OFF,
  }),
  telemetry('146', '{"a":"abcdefghijk"}', REFUSED, {
    says: 'string limit 10 configured, value of 11 characters',
    settings: STRICT,
  }),
  telemetry('147', `{"${'k'.repeat(256)}":1,"b":2}`, ['b LONG 2'], { says: 'key of 256 characters, and another' }),
];
