/** Loads everything that serves, so that Node's compile cache has it: run once where an image is built. */
import { flushCompileCache } from 'node:module';
import { serviceNames } from './services.ts';

await Promise.all([
  import('./main.ts'),
  import('./up.ts'),
  import('./serve.ts'),
  import('./front-proxy.ts'),
  import('./health.ts'),
  import('./all-in-one.ts'),
  ...serviceNames().map(name => import(`@kcp-vw/${name}/service.ts`)),
]);
flushCompileCache();
