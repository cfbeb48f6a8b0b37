import { cleanUp } from '../support/gateway-process';
import { type FuzzReport, fuzz } from './run';

/** About eight seconds of load: the number of datagrams decides, not the time. */
const COUNT = 80_000;
const SEED = 20_260;

describe(`A gateway that gets ${COUNT} datagrams of garbage, forgeries, abuse and valid requests mixed up`, () => {
  let report: FuzzReport;

  beforeAll(async () => {
    report = await fuzz({ seed: SEED, count: COUNT, rate: 10_000 });
  }, 120_000);
  afterAll(cleanUp);

  it('has really got most of them, and has answered some of every kind', () => {
    expect(report.sent).toBeGreaterThanOrEqual(COUNT * 0.9);
    // A busy machine drops much of what arrives before the process has its turn.
    expect(report.received).toBeGreaterThan(report.sent / 5);
    for (const codes of ['2', '4']) {
      const of = `tandem_coap_responses_total{protocol="coap",code="${codes}.`;
      const counts = [...report.metrics].filter(([sample]) => sample.startsWith(of)).map(([, count]) => count);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(500);
    }
    expect(report.strangers.replies).toBeGreaterThan(500);
  });

  it('got those from port 0 and from forged sources as well, where the system lets a test forge', () => {
    const fromPortZero = report.metrics.get('tandem_coap_dropped_total{protocol="coap",reason="source_port_zero"}');
    if (report.refusal === undefined) expect(fromPortZero).toBeGreaterThan(0);
    else expect(report.refusal).toMatch(/not permitted|denied|ENOENT/i);
  });

  it('lives on, and ends in order when it is asked to', () => {
    expect(report.complaints.crashed).toEqual([]);
  });

  it('logs no error, and nothing about the strangers one by one', () => {
    expect(report.complaints.errors).toEqual([]);
  });

  it('sends no stranger more than three times the bytes that came from there', () => {
    expect(report.complaints.excesses).toEqual([]);
  });

  it('stays ready', () => {
    expect(report.complaints.unready).toEqual([]);
  });

  it('holds every limit on what it keeps', () => {
    expect(report.complaints.unbounded).toEqual([]);
  });

  it('takes no more memory at the end than after its warm-up, but for a rest', () => {
    expect(report.complaints.growth).toEqual([]);
  });

  it('answers an ordinary device meanwhile and afterwards', () => {
    expect(report.complaints.unanswered).toEqual([]);
    expect(report.probes.sent).toBeGreaterThan(5);
  });

  it('stores what that device was told to be stored', () => {
    expect(report.complaints.notStored).toEqual([]);
  });

  it('lets go of observations and running requests with the devices they belong to', () => {
    expect(report.complaints.leftOver).toEqual([]);
  });
});
