import { copyFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { LoginWorld } from './login-world.ts';
import { windowsPath } from './wine.ts';
import { PATIENT } from './wine-world.ts';

const ONE_OF_EACH = { registrations: 1, codeExchanges: 1, refreshPosts: 0, replays: 0 };

it("signs in with the browser that Windows' own handler opens; the next start needs none", async () => {
  await using world = await LoginWorld.create();
  const host = await world.served();
  expect(world.browser.opened).toHaveLength(1);
  expect((await world.browser.waitForArrived())[0]).toMatchObject({ status: 200 });
  host.endStdin();
  expect((await host.closed).code).toBe(0);
  host.assertPure();
  await world.served();
  expect(world.authority.counters).toMatchObject(ONE_OF_EACH);
  expect(world.browser.opened).toHaveLength(1);
});

it('opens the program that BROWSER names, in a path with spaces and umlauts', async () => {
  await using world = await LoginWorld.create();
  const script = join(dirname(world.browser.command), 'Mein Browser für alles.cjs');
  await copyFile(world.browser.command, script);
  const command = `"${world.wine.node}" "${windowsPath(script)}"`;
  const host = world.start([], { BROWSER: command });
  await host.initialize({}, PATIENT);
  await world.call(host, 'x');
  expect((await world.browser.waitForOpened())[0]?.env.WINEDEBUG).toBe(undefined);
  expect(world.authority.counters).toMatchObject(ONE_OF_EACH);
});

it('shows the address where BROWSER names a batch file, which no program may start without a shell', async () => {
  await using world = await LoginWorld.create();
  const script = join(world.wine.folder, 'browser.cmd');
  await writeFile(script, '@exit /b 0\r\n');
  const host = world.start([], { BROWSER: `"${windowsPath(script)}"` });
  await host.initialize({}, PATIENT);
  await vi.waitFor(() => expect(host.stderr).toContain(`${world.authority.issuer}/auth?`), 60_000);
  expect(world.authority.counters.authorizationRequests).toBe(0);
});

it('outlives its host: the sign-in completes and the next start needs none', async () => {
  await using world = await LoginWorld.create({ consent: 'wait' });
  const host = world.start();
  await host.initialize({}, PATIENT);
  await world.authority.consent.asked.waitFor(() => true, PATIENT);
  host.kill();
  await host.exited;
  world.authority.consent.allow();
  await world.browser.waitForArrived(1, PATIENT.timeoutMs);
  await world.browser.setMode('ignore');
  await world.served();
  expect(world.authority.counters).toMatchObject(ONE_OF_EACH);
  expect(world.browser.opened).toHaveLength(1);
});

it('8 instances at once: one browser, one registration, one exchange, all served', async () => {
  await using world = await LoginWorld.create();
  await Promise.all(Array.from({ length: 8 }, () => world.served()));
  expect(world.browser.opened).toHaveLength(1);
  expect(world.authority.counters).toMatchObject(ONE_OF_EACH);
});
