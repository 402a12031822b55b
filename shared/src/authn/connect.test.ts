import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_LIMITS, type Options } from '../config/options.ts';
import { closeAll, httpsServer, serverTls, testAuthority, track } from '../upstream/upstream.fixture.ts';
import { connectAuthentication } from './connect.ts';
import { sign } from './issuer.fixture.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'connect-'));
});
afterEach(async () => {
  await closeAll();
  rmSync(folder, { recursive: true });
});
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const refusal = (code: number) => expect.objectContaining({ code });
const ACCOUNT = '/clusters/1abc/api/v1/namespaces/default/serviceaccounts/builder';

/** A shard with one workspace and one service account; it reviews every token as the user `reviewed`. */
async function startShard() {
  const url: URL = await httpsServer((request, response) => {
    const answers: Record<string, object> = {
      '/clusters/root/apis/core.kcp.io/v1alpha1/shards': {
        items: [{ metadata: { name: 'root' }, spec: { baseURL: url.origin } }],
      },
      '/clusters/1abc/apis/core.kcp.io/v1alpha1/logicalclusters/cluster': { metadata: { name: 'cluster' } },
      [ACCOUNT]: { metadata: { uid: 'u1' } },
      '/clusters/root/apis/authentication.k8s.io/v1/tokenreviews': {
        status: { authenticated: true, user: { username: 'reviewed', groups: ['system:masters', 'team'] } },
      },
    };
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404).end(JSON.stringify(answer ?? {}));
  }, serverTls());
  const ca = Buffer.from(testAuthority().certPem).toString('base64');
  return file(
    'shard.kubeconfig',
    JSON.stringify({
      'current-context': 'x',
      clusters: [{ name: 'x', cluster: { server: url.origin, 'certificate-authority-data': ca } }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      users: [{ name: 'x', user: { token: 't' } }],
    }),
  );
}

const optionsOf = (changes: Partial<Options>): Options =>
  ({
    kubeconfig: '',
    context: '',
    requestHeader: {
      allowedNames: [],
      usernameHeaders: ['X-Remote-User'],
      groupHeaders: [],
      uidHeaders: [],
      extraHeaderPrefixes: [],
    },
    face: 'public',
    publicFace: { dropGroups: [], passOnGroups: [] },
    shardClientNames: [],
    limits: DEFAULT_LIMITS,
    ...changes,
  }) as Options;

async function connect(changes: Partial<Options>) {
  const errors: Error[] = [];
  const authentication = track(await connectAuthentication(optionsOf(changes), { onError: error => errors.push(error) }));
  return {
    errors,
    authentication,
    ask: (token: string) => authentication.authenticate(['Authorization', `Bearer ${token}`], { address: '::1' }),
  };
}

describe('the authentication of a public face', () => {
  it('knows tokens of a file, of service accounts and of a reviewer, in this order', async () => {
    const kubeconfig = await startShard();
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const id = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url');
    const { ask, errors } = await connect({
      kubeconfig,
      publicFace: {
        dropGroups: [],
        passOnGroups: [],
        tokenFile: file('tokens.csv', 'jane-token,jane,,"team,system:masters"\n'),
        serviceAccounts: {
          keyFiles: [file('sa.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString())],
          issuers: ['https://kcp.default.svc'],
          audiences: ['https://kcp.default.svc'],
          shardsKubeconfig: kubeconfig,
        },
      },
    });
    const tokenOf = (uid: string) =>
      sign(
        { id, algorithm: 'ES256', privateKey },
        {
          iss: 'https://kcp.default.svc',
          aud: 'https://kcp.default.svc',
          sub: 'system:serviceaccount:default:builder',
          exp: Math.floor(Date.now() / 1000) + 600,
          'kubernetes.io': { clusterName: '1abc', namespace: 'default', serviceaccount: { name: 'builder', uid } },
        },
      );
    expect(await ask('jane-token')).toMatchObject({ name: 'jane', groups: ['team', 'system:authenticated'] });
    expect(await ask(await tokenOf('u1'))).toMatchObject({
      name: 'system:serviceaccount:default:builder',
      extra: { 'authentication.kcp.io/cluster-name': ['1abc'] },
    });
    // Of an account that there was before: the reviewer, who believes everything, is not asked.
    await expect(ask(await tokenOf('u0'))).rejects.toEqual(refusal(401));
    expect(await ask('another')).toMatchObject({ name: 'reviewed', groups: ['team', 'system:authenticated'] });
    expect(errors).toEqual([]);
  });

  it('does without a reviewer, and then knows nobody by a token that is none of its own', async () => {
    const { authentication, ask } = await connect({});
    expect(authentication.reviewer).toBeUndefined();
    await expect(ask('anything')).rejects.toEqual(refusal(401));
  });

  it('starts although its issuer is down, whose tokens are 503 until it is up', async () => {
    const issuerUrl = 'https://127.0.0.1:1';
    const oidc = {
      issuerUrl,
      clientID: 'kcp',
      usernameClaim: 'sub',
      groupsPrefix: '',
      requiredClaims: {},
      signingAlgorithms: ['ES256'],
    };
    const { ask, errors } = await connect({ publicFace: { dropGroups: [], passOnGroups: [], oidc } });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await expect(ask(await sign({ id: 'x', algorithm: 'ES256', privateKey }, { iss: issuerUrl }))).rejects.toEqual(refusal(503));
    expect(errors).toHaveLength(1);
  });

  it('is refused when one of its files cannot be used', async () => {
    const tokenFile = file('tokens.csv', 'jane-token,jane,u1\n');
    const keyFiles = [file('empty.pem', '')];
    const serviceAccounts = { keyFiles, issuers: ['i'], audiences: ['i'], shardsKubeconfig: await startShard() };
    const publicFace = { dropGroups: [], passOnGroups: [], tokenFile, serviceAccounts };
    await expect(connect({ publicFace })).rejects.toThrow('holds no key in PEM form');
    await expect(connect({ kubeconfig: join(folder, 'none') })).rejects.toThrow('cannot be read');
  });
});

describe('the authentication of the other face', () => {
  it('leaves every token to the reviewer, whose groups it believes', async () => {
    const kubeconfig = await startShard();
    const tokenFile = file('tokens.csv', 'jane-token,jane,u1\n');
    const { ask } = await connect({ face: 'services', kubeconfig, publicFace: { dropGroups: [], passOnGroups: [], tokenFile } });
    const reviewed = { name: 'reviewed', groups: ['system:masters', 'team', 'system:authenticated'] };
    expect(await ask('jane-token')).toMatchObject(reviewed);
  });

  it('does not start without a reviewer', async () => {
    await expect(connect({ face: 'services' })).rejects.toThrow('cannot be read');
  });
});
