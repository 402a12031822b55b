import type { KubeObject } from '@kcp-vw/shared/kube/objects.ts';
import type { Loopback } from './loopback.ts';
import { SECRETS, SERVICE_ACCOUNTS } from './refs.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

const TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** Puts a token, which does not end, into a Secret that asks for the one of a service account, as Kubernetes' controller does. */
export function reconcileAccountSecret(
  objects: Loopback,
  cluster: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { tokens, certificates }: { readonly tokens: ServiceAccountTokens; readonly certificates: string },
): void {
  const secret = objects.get<Secret>(SECRETS, cluster, name, namespace);
  if (secret?.type !== TYPE || secret.data?.token) return;
  const account = objects.get(SERVICE_ACCOUNTS, cluster, secret.metadata?.annotations?.[ACCOUNT_NAME] ?? '', namespace);
  if (account === undefined) return;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const token = tokens.issueFor(account, secret);
  const metadata = {
    ...secret.metadata,
    annotations: { ...secret.metadata?.annotations, [ACCOUNT_UID]: account.metadata?.uid ?? '' },
  };
  const data = { ...secret.data, 'ca.crt': base64(certificates), namespace: base64(namespace), token: base64(token) };
  objects.update(SECRETS, cluster, { ...secret, metadata, data } as KubeObject);
}
