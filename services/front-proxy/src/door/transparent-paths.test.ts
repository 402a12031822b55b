import { describe, expect, test } from '@jest/globals';
import { badRequest, forbiddenBecause } from '@kcp-vw/shared/kube/errors.ts';
import { parseTarget } from '@kcp-vw/shared/target/target.ts';
import { explainImpersonation, transparentViewOf, urlInView } from './transparent-paths.ts';

const API = 'apis/tenancy.kcp.io/v1alpha1/workspaces';

describe('a path of workspaces is answered by the view of that name', () => {
  test.each([
    `/clusters/root/${API}`,
    `/clusters/root:org:ws/${API}`,
    `/clusters/1vp4hcbx9hz8m7a1/${API}`,
    `/clusters/user:alice/${API}`,
    `/clusters/system:admin/${API}`,
    `/clusters/root%3Aorg/${API}`,
    `/clusters/root/${API}/`,
    `/clusters/root/${API}/one`,
    `/clusters/root/${API}/~`,
    `/clusters/root/${API}/one/status`,
    `/clusters/root/${API}/a%2Fb`,
    `/clusters/root/${API}/a%20b/status/`,
    `/clusters/root/${API}?watch=1`,
    `/clusters/root/${API}?labelSelector=a%3Db%2Cc&limit=500&continue=x%2By`,
    `/clusters/root/${API}/one?pretty=%74rue`,
    '/clusters/root/apis/tenancy%2Ekcp.io/v1alpha1/%77orkspaces',
  ])('%s', url => {
    const view = transparentViewOf(parseTarget(url));
    expect(view).toBe('workspaces');
    expect(urlInView('workspaces', url)).toBe(`/services/workspaces${url}`);
    // The view reads what was meant: nothing of it is another path below its own.
    expect(parseTarget(urlInView('workspaces', url)).rawSegments.slice(2)).toEqual(parseTarget(url).rawSegments);
  });
});

describe('a path that is not of workspaces is nobody’s', () => {
  test.each([
    '/',
    '/clusters',
    '/clusters/root',
    `/clusters/*/${API}`,
    `/clusters/%2A/${API}`,
    '/clusters/root/apis',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspacesx',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspacetypes',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaceauthenticationconfigurations',
    `/clusters/root/${API}:a1b2c3`,
    `/clusters/root/${API}%3Aa1b2c3`,
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/Workspaces',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/watch/workspaces',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/namespaces/default/workspaces',
    '/clusters/root/apis/tenancy.kcp.io/v1beta1/workspaces',
    '/clusters/root/apis/tenancy.kcp.dev/v1alpha1/workspaces',
    '/clusters/root/apis/other.tenancy.kcp.io/v1alpha1/workspaces',
    '/clusters/root/api/tenancy.kcp.io/v1alpha1/workspaces',
    `/CLUSTERS/root/${API}`,
    `/Clusters/root/${API}`,
    `/cluster/root/${API}`,
    `/clusters/root/clusters/other/${API}`,
    `/clusters/${API}`,
    `/${API}`,
    `/services/workspaces/clusters/root/${API}`,
    `/services/other/clusters/root/${API}`,
    `/x/clusters/root/${API}`,
    // To whoever decodes them before he splits, these are the path, or another one.
    `/clusters%2Froot/${API}`,
    `/clusters/root%2Fother/${API}`,
    `/clusters/root%2F${API}`,
    '/clusters/root/apis%2Ftenancy.kcp.io/v1alpha1/workspaces',
    '/clusters/root/apis/tenancy.kcp.io%2Fv1alpha1/workspaces',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1%2Fworkspaces',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces%2Fone',
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces%2fone/status',
    '/clusters/root/services/workspaces',
  ])('%s', url => {
    expect(transparentViewOf(parseTarget(url))).toBeUndefined();
  });

  test.each([
    `//clusters/root/${API}`,
    `/clusters//root/${API}`,
    `/clusters//${API}`,
    '/clusters/root/apis/tenancy.kcp.io/v1alpha1//workspaces',
    `/clusters/../clusters/root/${API}`,
    `/clusters/root/%2e%2e/other/${API}`,
    `/clusters/root%252Fother/${API}`,
    `/clusters/root%00/${API}`,
    `/clusters/root/${API}/..%2Fworkspacetypes`,
  ])('%s, which is no path at all', url => {
    expect(() => parseTarget(url)).toThrow(expect.objectContaining({ code: 400 }));
  });
});

describe('a refusal to impersonate', () => {
  const refusal = forbiddenBecause('only system:masters may impersonate here');

  test.each([['Impersonate-User'], ['impersonate-group'], ['Impersonate-Extra-scopes']])(
    'says that the view cannot be asked so, by %s',
    header => {
      const { status } = explainImpersonation(refusal, 'workspaces', ['Accept', '*/*', header, 'bob']);
      expect(status).toMatchObject({ code: 403, reason: 'Forbidden' });
      expect(status.message).toBe(
        'only system:masters may impersonate here; workspaces shows each caller his own view, impersonation (--as) is not possible on it',
      );
    },
  );

  test('is only what has been refused for that', () => {
    expect(explainImpersonation(refusal, 'workspaces', ['X-Other', 'impersonate-user'])).toBe(refusal);
    const malformed = badRequest('Impersonate-User is given more than once');
    expect(explainImpersonation(malformed, 'workspaces', ['Impersonate-User', 'bob'])).toBe(malformed);
  });
});
