import { serveView } from '@kcp-vw/shared/view/serve-view.ts';
import { teamNotes } from './team-notes.ts';

await serveView(teamNotes);
