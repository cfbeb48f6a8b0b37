export { type Gateway, startGateway } from './gateway';
export { redact, redactText } from './redact';
