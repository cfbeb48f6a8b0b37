import { FILES } from './files';
import { describeVectors } from './framework/describe-vectors';
import { redisStore } from './framework/stores';

describeVectors(redisStore(), FILES.http);
