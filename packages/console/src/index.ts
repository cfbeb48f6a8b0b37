export { type ConsoleFile, consoleFiles } from './page/console-files';
