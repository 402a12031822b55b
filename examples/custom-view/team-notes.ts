import { isMasters } from '@kcp-vw/shared/authn/identity.ts';
import type { ApiResource } from '@kcp-vw/shared/kube/discovery.ts';
import { isClusterName } from '@kcp-vw/shared/target/cluster-name.ts';
import { allow, defineView, deny, forward } from '@kcp-vw/shared/view/view.ts';

/** Discovery, OpenAPI and the verbs that are let through follow from this. */
const NOTES: readonly ApiResource[] = [
  {
    group: '',
    version: 'v1',
    name: 'configmaps',
    singularName: 'configmap',
    kind: 'ConfigMap',
    namespaced: true,
    shortNames: ['cm'],
    verbs: ['get', 'list', 'watch'],
  },
];

/**
 * What a team is told in other people's workspaces: the ConfigMaps of one logical cluster that have the label `team=<team>`, read-only,
 * for the members of the group `team-<team>`. They need no rights in that workspace. The view does, and has them where the workspace's
 * owner gave them.
 */
export const teamNotes = defineView<{ readonly team: string; readonly cluster: string }>({
  name: 'team-notes', // /services/team-notes/<team>/clusters/<cluster>/…
  path: '/:team/clusters/:cluster',
  resolve: scope => (isClusterName(scope.cluster) ? scope : undefined), // One at a time: no view of all of them.
  apis: () => NOTES,
  authorize: ({ caller, scope }) => {
    if (isMasters(caller)) return allow('masters');
    return caller.groups.includes(`team-${scope.team}`)
      ? allow('a member')
      : deny(`only members of the group team-${scope.team}`);
  },
  // As the view itself: no `as`. The selector holds of single objects, too, so that no other can be read by its name.
  answer: ({ scope }) => forward({ select: `team=${scope.team}`, because: `notes for the team ${scope.team}` }),
});
