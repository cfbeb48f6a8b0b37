export { type Gateway, startGateway } from './gateway';
export { redact } from './redact';
export { redactText } from './redact-text';
