export { type Gateway, startGateway } from './gateway';
export { redact } from './logging/redact';
export { redactText } from './logging/redact-text';
