import { runServiceProcess } from '@kcp-vw/shared/view/service-process.ts';
import { initializerService } from './service.ts';

await runServiceProcess(initializerService);
