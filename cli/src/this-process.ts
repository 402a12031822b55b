export { runInThisProcess } from '@kcp-vw/shared/observe/this-process.ts';
