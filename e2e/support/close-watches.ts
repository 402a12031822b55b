import { afterEach } from '@jest/globals';
import { closeWatches } from './watch.ts';

afterEach(closeWatches);
