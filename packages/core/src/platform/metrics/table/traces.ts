import { counter } from '../row';

export const TRACE_METRICS = {
  tandem_trace_spans_total: counter('every process', 'Spans that ended and were to be sent to the collector'),
  tandem_trace_spans_sent_total: counter('every process', 'Spans that the collector has taken'),
  tandem_trace_spans_failed_total: counter('every process', 'Spans that the collector did not take'),
};
