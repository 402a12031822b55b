import type { Credentials } from '../../support/client.ts';
import { anonymous, atShard, certified, masters, trustedProxy, user } from '../../support/identities.ts';
import type { UserName } from '../row.ts';
import { LAW, WILD } from './schemas.ts';
import { allow, CORE, create } from './shard.ts';

/** Credentials, and headers that go with every request of that user. */
export interface User {
  readonly credentials: Credentials;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

const PROVIDER = 'sbs-provider';
const READER = 'sbs-reader';
const MEMBER = 'sbs-member';

const ACCESS = { nonResourceURLs: ['/'], verbs: ['access'] };

const content = (...verbs: string[]) => ({ apiGroups: ['apis.kcp.io'], resources: ['apiexports/content'], verbs });

async function robot(cluster: string, name: string): Promise<Credentials> {
  const accounts = `${CORE}/namespaces/default/serviceaccounts`;
  await create(cluster, accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 7200 } };
  const path = `/clusters/${cluster}${accounts}/${name}/token`;
  const { status } = (await atShard(masters).post(path, request)).expect(201).json<{ status: { token: string } }>();
  return { name, token: status.token };
}

/** The users by name, with their rights in the workspaces of the exports. */
export async function createUsers(home: string, foreign: string, consumer: string): Promise<Readonly<Record<UserName, User>>> {
  await allow(home, 'sbs-provider', { kind: 'User', name: PROVIDER }, [content('*'), ACCESS]);
  await allow(home, 'sbs-reader', { kind: 'User', name: READER }, [content('get'), ACCESS]);
  await allow(home, 'sbs-member', { kind: 'User', name: MEMBER }, [ACCESS]);
  await allow(home, 'sbs-token-user', { kind: 'User', name: 'user-1' }, [content('get', 'list', 'watch'), ACCESS]);
  await allow(home, 'sbs-robot', { kind: 'ServiceAccount', name: 'robot', namespace: 'default' }, [content('*')]);
  const stranger = { kind: 'User', name: `system:kcp:serviceaccount:${consumer}:default:stranger` } as const;
  await allow(home, 'sbs-stranger', stranger, [content('get', 'list'), ACCESS]);
  await allow(foreign, 'sbs-policy', { kind: 'User', name: `apis.kcp.io:binding:${PROVIDER}` }, [
    { apiGroups: [LAW], resources: ['sheriffs'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [WILD], resources: ['*'], verbs: ['*'] },
  ]);
  const provider = certified(PROVIDER, ['sbs-team']);
  return {
    masters: { credentials: masters },
    'masters-as-provider': {
      credentials: masters,
      headers: { 'Impersonate-User': PROVIDER, 'Impersonate-Group': ['sbs-team', 'system:authenticated'] },
    },
    provider: { credentials: provider },
    reader: { credentials: certified(READER) },
    member: { credentials: certified(MEMBER) },
    nobody: { credentials: certified('sbs-nobody') },
    anonymous: { credentials: anonymous },
    'bad-token': { credentials: { name: 'bad token', token: 'no-such-token' } },
    'service-account': { credentials: await robot(home, 'robot') },
    'foreign-service-account': { credentials: await robot(consumer, 'stranger') },
    proxy: {
      credentials: trustedProxy(),
      headers: { 'X-Remote-User': PROVIDER, 'X-Remote-Group': ['sbs-team', 'system:authenticated'] },
    },
    'proxy-without-user': { credentials: trustedProxy() },
    'token-user': { credentials: user(1) },
  };
}
