export { type CommandLine, fail, runCommand } from '@kcp-vw/shared/observe/run-command.ts';
