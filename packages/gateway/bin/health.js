#!/usr/bin/env node
require('../dist/health-check.js').main();
