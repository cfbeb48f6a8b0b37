import { counter, gauge } from '../row';

/** Of the process that supervises others (`TANDEM_WORKERS`). */
export const WORKER_METRICS = {
  tandem_workers_ready: gauge('supervisor', 'Worker processes that are ready'),
  tandem_worker_restarts_total: counter(
    'supervisor',
    'Worker processes that were started in the place of one that ended',
  ),
};
