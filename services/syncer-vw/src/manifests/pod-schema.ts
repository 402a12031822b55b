import {
  anyFields,
  conditions,
  int64,
  list,
  listByKeys,
  map,
  open,
  type Schema,
  text,
  textByName,
  time,
} from './schema-parts.ts';

/*
 * A whole PodSpec is seven thousand lines, and no judge of pods is here: the physical cluster is, and it refuses what is wrong.
 * So fields that nothing here looks at are kept as they come. What is written out are the lists that several writers may own
 * parts of (server-side apply merges by these keys, as Kubernetes does) and the types of what is plain. Not `env`, `ports` and
 * `imagePullSecrets`: Kubernetes takes them with one key twice, and lists by key do not.
 */

const container: Schema = open(
  {
    name: text,
    image: text,
    imagePullPolicy: text,
    workingDir: text,
    command: list(text),
    args: list(text),
    volumeMounts: listByKeys(open({ mountPath: text, name: text }, ['mountPath', 'name']), 'mountPath'),
  },
  ['name'],
);
const containers = listByKeys(container, 'name');

/** `core/v1 PodSpec`. */
export const podSpec: Schema = open(
  {
    containers,
    initContainers: containers,
    ephemeralContainers: containers,
    volumes: listByKeys(open({ name: text }, ['name']), 'name'),
    nodeName: text,
    nodeSelector: { ...textByName, 'x-kubernetes-map-type': 'atomic' },
    serviceAccountName: text,
    automountServiceAccountToken: { type: 'boolean' },
    restartPolicy: text,
    dnsPolicy: text,
    schedulerName: text,
    hostname: text,
    subdomain: text,
    priorityClassName: text,
    terminationGracePeriodSeconds: int64,
    activeDeadlineSeconds: int64,
  },
  ['containers'],
);

/** `core/v1 PodTemplateSpec`. Its metadata are of no object: all of them are kept. */
export const podTemplate: Schema = map({
  metadata: open({ labels: textByName, annotations: textByName }),
  spec: podSpec,
});

/** `core/v1 PodStatus`. */
export const podStatus: Schema = open({
  phase: text,
  reason: text,
  message: text,
  hostIP: text,
  podIP: text,
  podIPs: listByKeys(map({ ip: text }, ['ip']), 'ip'),
  nominatedNodeName: text,
  qosClass: text,
  startTime: time,
  conditions,
  containerStatuses: list(anyFields),
  initContainerStatuses: list(anyFields),
  ephemeralContainerStatuses: list(anyFields),
});
