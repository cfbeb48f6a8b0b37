#!/usr/bin/env node
// Whether a file is a valid OpenAPI document. Usage: node tools/check-openapi.mjs <file>
import { Validator } from '@seriousme/openapi-schema-validator';

const { valid, errors } = await new Validator().validate(process.argv[2]);
if (!valid) process.stderr.write(`${JSON.stringify(errors, null, 2)}\n`);
process.exitCode = valid ? 0 : 1;
