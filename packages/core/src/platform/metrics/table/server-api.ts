import { counter, gauge } from '../row';

export const SERVER_API_METRICS = {
  tandem_logins_refused_total: counter('api', 'Logins with wrong or inactive credentials'),
  tandem_logins_locked_total: counter('api', 'Logins refused without a look at the password, for wrong ones before'),
  tandem_accounts_locked_total: counter('api', 'How often an account was locked'),
  tandem_login_addresses_locked_total: counter('api', 'How often the logins of an address were locked'),
  tandem_login_subjects: gauge('embedded', 'Accounts and addresses whose failed logins the store remembers'),
  tandem_tokens_verified: gauge('api', 'Tokens of the server API whose signature need not be checked again'),
  tandem_principals_cached: gauge('every process', 'Accounts, API keys and public customers in the process cache'),
  tandem_principals_cache_misses_total: counter('every process', 'Accounts and API keys read from the store'),
  tandem_removals: gauge(
    'api',
    'Deleted tenants and customers of which something may have been left when it was last looked',
    { across: 'max' },
  ),
  tandem_waiters_questions: gauge(
    'every process',
    'Questions to all processes for polls and observations under way, asked and answered here',
  ),
  tandem_waiters_asked_total: counter('every process', 'Questions to all processes for polls and observations'),
  tandem_waiters_refused_total: counter(
    'every process',
    'Such questions that were refused to their user or left without an answer, since there were too many',
  ),
  tandem_waiters_unanswered_total: counter(
    'every process',
    'Answers of processes that were not there within TANDEM_WAITERS_TIMEOUT',
  ),
  tandem_ws_sessions: gauge('api', 'WebSocket sessions'),
  tandem_ws_strangers: gauge('api', 'WebSocket sessions whose token has not been checked yet'),
  tandem_ws_subscriptions: gauge('api', 'Subscriptions of WebSocket sessions'),
  tandem_ws_reviews: gauge('api', 'WebSocket sessions and subscriptions whose rights are to be looked at again'),
  tandem_ws_slow_total: counter('api', 'WebSocket sessions that were closed because their client did not read'),
};
