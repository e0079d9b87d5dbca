import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { visit } from '../../peers/browsers/browser-visit.ts';
import { runProgram } from '../../peers/hosts/command.ts';
import { runLibraryProgram } from '../../peers/processes/library-program.ts';
import { LibraryWorld } from '../../peers/worlds/library-world.ts';

const LIST = `{ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }`;

/** Runs a program of this home; pages that it prints after `open ` are visited. */
function run(world: LibraryWorld, text: string, url = world.url) {
  return runLibraryProgram(`const url = ${JSON.stringify(url)};\n${text}`, world.home.env(), {
    onLine: (line) => {
      if (line.startsWith('open ')) void visit(line.slice('open '.length));
    },
  });
}

describe.concurrent('a program', () => {
  it('signs in through the shared sign-in process; the commands of the bridge see its login; it exits by itself', async () => {
    await using world = await LibraryWorld.create();
    const text = `
      const login = await openLogin(url);
      console.log((await login.status()).state);
      await login.signIn({ onPrompt: ({ address }) => console.log('open ' + address) });
      console.log((await login.status()).state, (await login.fetch(url, ${LIST})).status, await login.token());
      await login.close();
    `;
    const end = await run(world, text);
    expect(end).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^sign-in needed\nopen .*\nsigned in 200 access-2$/),
    });
    expect(world.vendor.to('/register')).toHaveLength(1);
    const { stdout } = await runProgram(['token', world.url], world.home.env());
    expect(stdout).toBe('access-2\n');
  });

  it('gets the address to open from the error of a call, and the next call succeeds', async () => {
    await using world = await LibraryWorld.create();
    const text = `
      const fetch = authorizedFetch(url);
      const error = await fetch(url, ${LIST}).catch((error) => error);
      console.log(error instanceof SignInNeededError, error.code);
      console.log('open ' + error.address);
      const waiting = authorizedFetch(url, { wait: true });
      console.log((await waiting(url, ${LIST})).status, (await fetch(url, ${LIST})).status);
    `;
    const end = await run(world, text);
    expect(end).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^true sign_in_needed\nopen .*\n200 200$/),
    });
    expect(world.vendor.to('/register')).toHaveLength(1);
  });

  it('waits for a sign-in with more scope (403)', async () => {
    await using world = await LibraryWorld.create({
      mcp: (_rpc, request, vendor) => {
        const issued = vendor.issuedTo(request);
        if (issued === undefined || issued.scope?.includes('write') === true) return undefined;
        return {
          status: 403,
          headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write"' },
        };
      },
    });
    await world.signIn({ scope: 'read' });
    const text = `
      const onPrompt = ({ address }) => console.log('open ' + address);
      const fetch = authorizedFetch(url, { wait: true, onPrompt });
      console.log((await fetch(url, ${LIST})).status);
    `;
    expect(await run(world, text)).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^open .*\n200$/),
    });
    expect((await world.record())?.tokens?.scope).toBe('read write');
  });

  it('has two logins at once, and logs out of one', async () => {
    await using world = await LibraryWorld.create();
    const [one] = [await world.signIn({}, { profile: 'one' }), await world.signIn({}, { profile: 'two' })];
    expect(one).toBe('access-1');
    const text = `
      const [one, two] = await Promise.all(['one', 'two'].map((profile) => openLogin(url, { profile, nonInteractive: true })));
      console.log(await one.token(), await two.token());
      console.log(await one.logout(), await one.token(), await two.token());
      const error = await one.fetch(url, ${LIST}).catch((error) => error);
      console.log(error.code, (await two.fetch(url, ${LIST})).status);
      await Promise.all([one.close(), two.close()]);
    `;
    const end = await run(world, text);
    expect(end).toEqual({
      code: 0,
      stderr: '',
      stdout: 'access-1 access-2\ntrue undefined access-2\nsign_in_needed 200',
    });
    expect(await world.record({ profile: 'one' })).toBeUndefined();
  });

  it('keeps a login in memory: nothing on disk, and the sign-in runs in it and ends with it', async () => {
    await using world = await LibraryWorld.create();
    const text = `
      const login = await openLogin(url, { store: 'memory' });
      await login.signIn({ onPrompt: ({ address }) => console.log('open ' + address) });
      console.log((await login.status()).state);
      const other = await openLogin(url, { store: 'memory', profile: 'other' });
      const waiting = other.signIn({ onPrompt: () => void other.close() }).catch((error) => error);
      console.log((await waiting).code);
      await login.close();
    `;
    const end = await run(world, text);
    expect(end).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^open .*\nsigned in\naborted$/),
    });
    expect(existsSync(`${world.home.state}/credentials`) && (await world.record())).toBeFalsy();
  });

  it('works in a worker thread', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn({ obtainedAt: Date.now() - 3_600_000, expiresAt: Date.now() - 1_000 });
    const text = `
      import { isMainThread, Worker, parentPort } from 'node:worker_threads';
      const code = \`import { authorizedFetch } from \${JSON.stringify(${JSON.stringify(new URL('../../../dist/library/index.js', import.meta.url).href)})};
        import { parentPort } from 'node:worker_threads';
        const url = \${JSON.stringify(url)};
        parentPort.postMessage((await authorizedFetch(url)(url, ${LIST})).status);\`;
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
      worker.on('message', (status) => console.log(status));
    `;
    expect(await run(world, text)).toEqual({ code: 0, stderr: '', stdout: '200' });
    expect(world.vendor.tokenForms.map((form) => form.get('grant_type'))).toEqual(['refresh_token']);
  });

  it('exits by itself even without close(), after calls, a refresh and an aborted call', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn({ obtainedAt: Date.now() - 3_600_000, expiresAt: Date.now() - 1_000 });
    const text = `
      const fetch = authorizedFetch(url);
      console.log((await fetch(url, ${LIST})).status);
      const stop = new AbortController();
      const call = fetch(url, { ...${LIST}, signal: stop.signal });
      stop.abort(new Error('enough'));
      await call.catch((error) => console.log(error.message));
    `;
    expect(await run(world, text)).toEqual({ code: 0, stderr: '', stdout: '200\nenough' });
  });

  it('shares one refresh with every other program', async () => {
    await using world = await LibraryWorld.create();
    await world.signIn({ obtainedAt: Date.now() - 3_600_000, expiresAt: Date.now() - 1_000 });
    const text = `console.log((await authorizedFetch(url)(url, ${LIST})).status);`;
    const ends = await Promise.all([1, 2, 3, 4].map(() => run(world, text)));
    expect(ends.map(({ stdout, stderr }) => stdout + stderr)).toEqual(['200', '200', '200', '200']);
    expect(world.vendor.tokenForms).toHaveLength(1);
  });
});
