// Loaded before the program: what it is like where there is no koffi for the platform.
const Module = require('node:module');

const load = Module._load;
Module._load = (request, ...rest) => {
  if (request === 'koffi')
    throw new Error('Cannot find the native Koffi module; did you bundle it correctly?\nMore of it');
  return load(request, ...rest);
};
