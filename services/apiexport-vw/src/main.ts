import { runServiceProcess } from '@kcp-vw/shared/view/service-process.ts';
import { apiExportService } from './service.ts';

await runServiceProcess(apiExportService);
