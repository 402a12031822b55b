import { runServiceProcess } from '@kcp-vw/shared/view/service-process.ts';
import { workspacesService } from './service.ts';

await runServiceProcess(workspacesService);
