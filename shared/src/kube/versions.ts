const KUBE_VERSION = /^v([0-9]+)(?:(alpha|beta)([0-9]+))?$/;
const STAGES = ['alpha', 'beta', undefined];

/** Stage, major and minor; undefined when the text is no Kubernetes version. */
function parse(version: string): readonly [number, number, number] | undefined {
  const match = KUBE_VERSION.exec(version);
  return match === null ? undefined : [STAGES.indexOf(match[2]), Number(match[1]), Number(match[3] ?? 0)];
}

/**
 * Compares API versions for sorting, highest priority first, as `CompareKubeAwareVersionStrings` ranks them:
 * `v10, v2, v1, v11beta2, v3beta1, v12alpha1`, and then all that is no Kubernetes version, by alphabet.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  if (left === undefined || right === undefined) {
    if (left !== undefined) return -1;
    if (right !== undefined) return 1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
}
