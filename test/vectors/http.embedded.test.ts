import { FILES } from './files';
import { describeVectors } from './framework/describe-vectors';
import { EMBEDDED } from './framework/stores';

describeVectors(EMBEDDED, FILES.http);
