/**
 * The transparent road to the view `workspaces`: a front proxy of kcp that leads there when a workspace is asked for its workspaces, at the
 * URLs that everybody has. All else goes to the shards.
 */
import type { MappingEntry } from './front-proxy.ts';

/** Where in a front proxy the view begins; what is below goes there, too. */
export const TRANSPARENT_PATH = '/clusters/{cluster}/apis/tenancy.kcp.io/v1alpha1/workspaces';

/** The port of a front proxy beside the one of kcp's test server. */
export const TRANSPARENT_PORT = 6544;

/** `virtualWorkspaceURL`: where the fleet listens that has the view. */
export const toWorkspacesView = (virtualWorkspaceURL: string): MappingEntry => ({
  path: TRANSPARENT_PATH,
  backend: virtualWorkspaceURL,
});

/** What kcp's test server maps in its own front proxy besides, for kcp's own tests. */
export const OF_KCPS_TESTS: MappingEntry = { path: '/e2e/clusters/{cluster}/', backend: 'https://localhost:2443' };
