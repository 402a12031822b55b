import { type FrontProxyOptions, TO_SHARDS } from './front-proxy.ts';

/**
 * What kcp-operator takes of the arguments that kcp's test server gives to virtual workspaces; no credentials for token reviews and none
 * for clusters of other shards are among them.
 */
export const OPERATOR_KEEPS = [
  '--client-ca-file',
  '--tls-private-key-file',
  '--tls-cert-file',
  '--bind-address',
  '--secure-port',
  '--requestheader-client-ca-file',
  '--requestheader-username-headers',
  '--requestheader-group-headers',
  '--kubeconfig',
  '--cache-kubeconfig',
];

/** And what it adds. The external URL means nothing, to kcp as well. */
export const OPERATOR_ADDS = [
  '--requestheader-allowed-names=kcp-front-proxy,kcp-mounts-proxy',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  '--shard-external-url=https://127.0.0.1:6443',
  '-v=4',
];

/**
 * A front proxy of kcp's beside the one of its test server, with the mapping of kcp-operator: `/services/` goes to the root shard as well,
 * which sends it on to the virtual workspaces as its user.
 */
export const OPERATOR_FRONT_PROXY: FrontProxyOptions = {
  name: 'operator',
  port: 6543,
  entries: [TO_SHARDS, { ...TO_SHARDS, path: '/services/' }],
};
