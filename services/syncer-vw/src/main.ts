import { runServiceProcess } from '@kcp-vw/shared/view/service-process.ts';
import { syncerService } from './service.ts';

await runServiceProcess(syncerService);
