import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client, Credentials } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { List, Workspace } from './support/kube.ts';
import { describeWithPrograms, Kubectl } from './support/kubectl.ts';
import {
  ALL_VERBS,
  createReady,
  createUser,
  grantIn,
  OWNER,
  onWorkspaces,
  ownerOf,
  storedWorkspace,
  uniqueName,
  universal,
} from './support/workspace-writers.ts';
import { admit, createParent, untilGone } from './support/workspaces.ts';
import { namesIn, plainly, shownNames, transparently, viewOfWorkspaces } from './support/workspaces-view.ts';

/** A parent with two workspaces of its owner, into one of which a guest may look. */
interface Scene {
  readonly parent: string;
  readonly owner: Credentials;
  readonly guest: Credentials;
  readonly shared: Workspace;
  readonly closed: Workspace;
}

async function createScene(): Promise<Scene> {
  const parent = await createParent();
  const [owner, guest] = await Promise.all([createUser(parent), createUser(parent, [])]);
  const there = viewOfWorkspaces(owner, parent);
  const shared = await createReady(there, { name: uniqueName('shared') });
  const closed = await createReady(there, { name: uniqueName('closed') });
  await admit(shared.spec.cluster, guest.name);
  await eventually('sight of the guest', async () => expect(await shownNames(guest, parent)).toEqual([shared.metadata.name]));
  return { parent, owner, guest, shared, closed };
}

/** The first cells of the lines of a table, and those of its head. */
function readTable(text: string): { head: string[]; names: string[] } {
  const [head = '', ...rows] = text.trimEnd().split('\n');
  return { head: head.split(/ {2,}/).map(cell => cell.trim()), names: rows.map(row => row.split(' ', 1)[0] ?? '') };
}

/** The columns of kcp. */
const HEAD = ['NAME', 'TYPE', 'REGION', 'PHASE', 'URL', 'AGE'];

const opened: Kubectl[] = [];

function kubectlAt(client: Client): Kubectl {
  const kubectl = new Kubectl(client);
  opened.push(kubectl);
  return kubectl;
}

afterAll(() => {
  for (const kubectl of opened) kubectl.remove();
});

describeWithPrograms('kubectl', ['kubectl'], () => {
  let scene: Scene;
  let names: string[];
  let workshop: string;

  beforeAll(async () => {
    scene = await createScene();
    workshop = await createParent();
    for (const { name } of [scene.owner, scene.guest]) await admit(workshop, name);
    await grantIn(workshop, scene.owner.name, onWorkspaces(...ALL_VERBS));
    await eventually('entrance to the workshop', async () => {
      for (const one of [scene.owner, scene.guest]) expect(await shownNames(one, workshop)).toEqual([]);
    });
    names = [scene.closed, scene.shared].map(({ metadata }) => metadata.name);
  });

  describe.each([
    { road: "behind kcp's front proxy", to: transparently },
    { road: 'at the URL of the view', to: viewOfWorkspaces },
  ])('$road', ({ to }) => {
    let owner: Kubectl;
    let guest: Kubectl;
    /** Of the same owner in a place where workspaces come and go. */
    let writer: Kubectl;

    beforeAll(() => {
      owner = kubectlAt(to(scene.owner, scene.parent));
      guest = kubectlAt(to(scene.guest, scene.parent));
      writer = kubectlAt(to(scene.owner, workshop));
    });

    test('gets the workspaces that its user may enter, in the columns of kcp', async () => {
      const ofKcp = readTable(await kubectlAt(plainly(scene.owner, scene.parent)).run('get', 'workspaces'));
      const ofOwner = readTable(await owner.run('get', 'workspaces'));
      expect(ofOwner).toEqual({ head: HEAD, names });
      expect(ofOwner).toEqual(ofKcp);
      expect(readTable(await guest.run('get', 'ws')).names).toEqual([scene.shared.metadata.name]);
    });

    test('gets them as JSON, YAML and names', async () => {
      expect(namesIn(JSON.parse(await owner.run('get', 'workspaces', '-o', 'json')) as List<Workspace>)).toEqual(names);
      const { name } = scene.shared.metadata;
      expect(await guest.run('get', 'workspace', name, '-o', 'yaml')).toContain(`name: ${name}\n`);
      expect(await guest.run('get', 'workspaces', '-o', 'name')).toBe(`workspace.tenancy.kcp.io/${name}\n`);
    });

    test('is told that what its user may not enter is not there', async () => {
      const { name } = scene.closed.metadata;
      const { code, stderr } = await guest.attempt('get', 'workspace', name);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `Error from server (NotFound): workspaces.tenancy.kcp.io "${name}" not found\n`,
      });
    });

    test('explains and describes', async () => {
      expect(await guest.run('describe', 'workspace', scene.shared.metadata.name)).toContain('Kind:         Workspace');
      expect(await guest.run('api-resources', '--api-group=tenancy.kcp.io')).toMatch(
        /^workspaces +ws +tenancy\.kcp\.io\/v1alpha1 +false +Workspace$/m,
      );
    });

    test('watches, and sees the line of a workspace when its user is let in', async () => {
      const [first, second] = [await createReady(to(scene.owner, workshop)), await createReady(to(scene.owner, workshop))];
      await admit(first.spec.cluster, scene.guest.name);
      const watching = kubectlAt(to(scene.guest, workshop)).start(['get', 'workspaces', '--watch']);
      await watching.until(first.metadata.name);
      expect(watching.stdout).not.toContain(second.metadata.name);
      await admit(second.spec.cluster, scene.guest.name);
      await watching.until(second.metadata.name);
      watching.kill();
      expect(readTable(watching.stdout).head).toEqual(HEAD);
    });

    test('creates, and waits for the phase', async () => {
      const name = uniqueName('created');
      const said = await writer.run('create', '-f', writer.file('workspace.json', universal({ name })));
      expect(said).toBe(`workspace.tenancy.kcp.io/${name} created\n`);
      await writer.run('wait', `workspace/${name}`, '--for=jsonpath={.status.phase}=Ready', '--timeout=60s');
      const again = await writer.attempt('create', '-f', writer.file('workspace.json', universal({ name })));
      expect(again.stderr).toContain(`workspaces.tenancy.kcp.io "${name}" already exists`);
      await writer.run('delete', 'workspace', name, '--wait=false');
    });

    test.each([{ mode: 'its own merge' }, { mode: 'the merge of the server', flag: '--server-side' }])(
      'applies by $mode: creates, then changes',
      async ({ flag }) => {
        const name = uniqueName('applied');
        const flags = flag === undefined ? [] : [flag];
        const apply = (labels: Record<string, string>) =>
          writer.run('apply', ...flags, '-f', writer.file('workspace.json', universal({ name, labels })));
        const verb = flag === undefined ? ['created', 'configured'] : ['serverside-applied', 'serverside-applied'];
        expect(await apply({ stage: 'test', gone: 'soon' })).toBe(`workspace.tenancy.kcp.io/${name} ${verb[0]}\n`);
        expect(await apply({ stage: 'live' })).toBe(`workspace.tenancy.kcp.io/${name} ${verb[1]}\n`);
        const stored = await storedWorkspace(workshop, name);
        expect(stored.metadata.labels).toMatchObject({ stage: 'live' });
        expect(stored.metadata.labels).not.toHaveProperty('gone');
        expect(ownerOf(stored)).toContain(scene.owner.name);
        await writer.run('delete', 'workspace', name, '--wait=false');
      },
    );

    test('labels, annotates, patches and edits', async () => {
      const { name } = scene.shared.metadata;
      await owner.run('label', 'workspace', name, 'labelled=yes', '--overwrite');
      await owner.run('annotate', 'workspace', name, 'annotated=yes', '--overwrite');
      await owner.run('patch', 'workspace', name, '--type=merge', '--patch={"metadata":{"labels":{"patched":"merge"}}}');
      const add = [{ op: 'add', path: '/metadata/labels/also-patched', value: 'json' }];
      await owner.run('patch', 'workspace', name, '--type=json', `--patch=${JSON.stringify(add)}`);
      expect(await owner.edit("sed -i 's/labelled: .*/labelled: edited/'", 'edit', 'workspace', name)).toContain('edited');
      const { metadata } = await storedWorkspace(scene.parent, name);
      expect(metadata.labels).toMatchObject({ labelled: 'edited', patched: 'merge', 'also-patched': 'json' });
      expect(metadata.annotations).toMatchObject({ annotated: 'yes', [OWNER]: expect.stringContaining(scene.owner.name) });
      await owner.run('label', 'workspace', name, 'labelled-', 'patched-', 'also-patched-');
    });

    test('deletes, and waits until it is gone', async () => {
      const { name } = (await createReady(to(scene.owner, workshop))).metadata;
      const refused = await kubectlAt(to(scene.guest, workshop)).attempt('delete', 'workspace', name);
      expect(refused.stderr).toContain('(NotFound)');
      expect(await writer.run('delete', 'workspace', name)).toContain(`"${name}" deleted`);
      expect((await writer.attempt('get', 'workspace', name)).stderr).toContain('(NotFound)');
      await untilGone(workshop, name);
    });

    test('is refused what its user may not do to what he sees', async () => {
      const { code, stderr } = await guest.attempt('label', 'workspace', scene.shared.metadata.name, 'a=b');
      expect(code).toBe(1);
      expect(stderr).toContain(`(Forbidden): workspaces.tenancy.kcp.io "${scene.shared.metadata.name}" is forbidden`);
    });
  });
});

describeWithPrograms("kcp's plugin of kubectl", ['kubectl', 'kubectl-ws'], () => {
  let scene: Scene;
  let owner: Kubectl;
  let guest: Kubectl;

  beforeAll(async () => {
    scene = await createScene();
    owner = kubectlAt(transparently(scene.owner, scene.parent));
    guest = kubectlAt(transparently(scene.guest, scene.parent));
  });

  test('shows the tree of what its user may enter', async () => {
    const tree = await owner.run('ws', 'tree');
    for (const { metadata } of [scene.shared, scene.closed]) expect(tree).toContain(metadata.name);
    const ofGuest = await guest.run('ws', 'tree');
    expect(ofGuest).toContain(scene.shared.metadata.name);
    expect(ofGuest).not.toContain(scene.closed.metadata.name);
  });

  test('shows a tree over several levels', async () => {
    const inside = `${scene.parent}:${scene.shared.metadata.name}`;
    const nested = await createReady(transparently(scene.owner, inside), { name: uniqueName('nested') });
    expect(await owner.run('ws', 'tree', '--full')).toContain(`${inside}:${nested.metadata.name}`);
    expect(await guest.run('ws', 'tree')).not.toContain(nested.metadata.name);
  });

  test('creates a workspace, enters it and comes back', async () => {
    const name = uniqueName('entered');
    const said = await owner.run('ws', 'create', name, '--type=root:universal', '--enter');
    expect(said).toContain(`Workspace "${name}" (type root:universal) is ready to use.`);
    expect(said).toContain(`Current workspace is '${scene.parent}:${name}'`);
    expect(owner.server).toMatch(new RegExp(`/clusters/${scene.parent}:${name}$`));
    await owner.run('ws', '..');
    expect(await owner.run('ws', '.', '--short')).toBe(`${scene.parent}\n`);
  });

  test('enters by name and by path, and says where it is', async () => {
    const { name } = scene.shared.metadata;
    expect(await guest.run('ws', name)).toContain(`Current workspace is '${scene.parent}:${name}'`);
    expect(await guest.run('ws', '.', '--short')).toBe(`${scene.parent}:${name}\n`);
    await guest.run('ws', `:${scene.parent}`);
    expect(await guest.run('ws', '.', '--short')).toBe(`${scene.parent}\n`);
  });

  test('is told that what its user may not enter is not found', async () => {
    const { code, stderr } = await guest.attempt('ws', scene.closed.metadata.name);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`workspace "${scene.parent}:${scene.closed.metadata.name}" not found`);
  });

  test('goes home, and makes it on the way', async () => {
    const home = kubectlAt(transparently(scene.owner, 'root'));
    expect(await home.run('ws', '~')).toContain('Current workspace is');
    expect(await home.run('get', 'workspaces')).toBe('');
    const name = uniqueName('in-home');
    await home.run('ws', 'create', name, '--type=root:universal');
    expect(readTable(await home.run('get', 'workspaces')).names).toEqual([name]);
  });
});
