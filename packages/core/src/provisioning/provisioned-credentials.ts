import { type CredentialsContent, newCredentials } from '../devices/device-credentials';
import type { Random } from '../platform/random';
import type { ProvisionRequest } from './provision-request';

const ID_LENGTH = 20;

/**
 * What a device that is made gets (contract 5.2): what it brings for the type it names. One that names a type and brings
 * nothing for it gets a token.
 * @throws TandemError BAD_REQUEST for what cannot be its credentials
 */
export function provisionedCredentials(request: ProvisionRequest, random: Random): CredentialsContent {
  const { credentialsType, token, clientId, userName, password, hash } = request;
  switch (credentialsType) {
    case 'X509_CERTIFICATE':
      if (hash === '') break;
      return newCredentials({ credentialsType, credentialsValue: hash }, random);
    case 'MQTT_BASIC': {
      if (clientId + userName + password === '') break;
      const credentialsValue = JSON.stringify({ clientId, userName, password });
      return newCredentials({ credentialsType, credentialsValue }, random);
    }
    case 'LWM2M_CREDENTIALS':
      // Neither key nor token of it is known here: nobody gets in with this id.
      return { credentialsType, credentialsId: random.alphanumeric(ID_LENGTH), credentialsValue: null };
    case 'ACCESS_TOKEN':
      return newCredentials({ credentialsId: token }, random);
  }
  return newCredentials({}, random);
}
