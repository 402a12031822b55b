/** All requests, by subject; those that change something come last. */
import type { Row } from '../row.ts';
import { accept } from './accept.ts';
import { claimedWrites } from './claimed-writes.ts';
import { claims } from './claims.ts';
import { contentTypes } from './content-types.ts';
import { discovery } from './discovery.ts';
import { identities } from './identities.ts';
import { lifecycleReads, lifecycleWrites } from './lifecycles.ts';
import { listOptions } from './list-options.ts';
import { openapi } from './openapi.ts';
import { paths } from './paths.ts';
import { refusals } from './refusals.ts';
import { schemas } from './schemas.ts';
import { selectorWrites } from './selector-writes.ts';
import { watches } from './watches.ts';
import { writes } from './writes.ts';

export const subjects: Readonly<Record<string, readonly Row[]>> = {
  discovery,
  openapi,
  accept,
  'list options': listOptions,
  watches,
  paths,
  identities,
  claims,
  refusals,
  schemas,
  'lifecycle reads': lifecycleReads,
  'content types': contentTypes,
  writes,
  'claimed writes': claimedWrites,
  'selector writes': selectorWrites,
  'lifecycle writes': lifecycleWrites,
};
