import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jwtNamed } from '../../peers/authorization-servers/jwt.ts';
import { createFakeBrowser } from '../../peers/browsers/browser.ts';
import { Command } from '../../peers/hosts/command.ts';
import { startRawHost } from '../../peers/hosts/raw-host.ts';
import { createTemporaryHome, type TemporaryHome } from '../../peers/processes/home.ts';
import { refusal, Vendor, type VendorHabits } from '../../peers/vendors/vendor.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const SECRET = 'client-secret-canary';

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const JSON_BLOCK = /```json\n([\s\S]*?)```/g;
const chapter = (/## Ways to sign in\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '').split(/^<summary>/m).slice(1);
const ways = chapter.flatMap((part) => {
  const [title = '', text = ''] = part.split('</summary>\n');
  return Array.from(text.matchAll(JSON_BLOCK), ([, config = '']) => ({ title, text, config }));
});

interface Server {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Everything that a configuration of the README meets. */
interface Place {
  readonly home: TemporaryHome;
  readonly vendor: Vendor;
  readonly text: string;
}

interface Way {
  readonly habits?: VendorHabits;
  /** Contents of the files that it names. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the person does before the host starts. */
  readonly before?: (place: Place) => Promise<void>;
  /** What there is in the environment of the host. */
  readonly env?: (place: Place) => Promise<Readonly<Record<string, string>>>;
  /** What came to the token endpoint. */
  readonly proof: (forms: readonly Record<string, string>[], place: Place) => void;
}

const nobodyRegisters: VendorHabits = { metadata: () => ({ registration_endpoint: undefined }) };

/** Tokens for one grant alone. */
const only = (grantType: string, more: VendorHabits = {}): VendorHabits => ({
  token: (form, _request, vendor) =>
    form.get('grant_type') === grantType
      ? vendor.issue(undefined, { refresh_token: undefined })
      : refusal('unsupported_grant_type'),
  ...more,
});

const WAYS: Readonly<Record<string, Way>> = {
  'A person with a browser': {
    env: async ({ home }) => ({ BROWSER: (await createFakeBrowser(home.folder, 'follow')).command }),
    proof: ([form]) => expect(form).toMatchObject({ grant_type: 'authorization_code' }),
  },
  'A person over SSH or in a container': {
    before: async ({ home, vendor, text }) => {
      const [, line = ''] = /^ {4}mcp-drawbridge (.*)$/m.exec(text) ?? [];
      const args = line.replace('https://example.com/mcp', vendor.mcpUrl).split(' ');
      const login = new Command(args, home.env());
      const [address] = await login.said(/http:\/\/127\.0\.0\.1:\d+\/authorize\?\S+/);
      // As on another machine: where the browser is sent to, nobody listens; the person copies it.
      const { headers } = await fetch(address, { redirect: 'manual' });
      login.send(`${headers.get('location')}\n`);
      expect((await login.ended).code).toBe(0);
    },
    proof: (forms) => expect(forms.map(({ grant_type }) => grant_type)).toEqual(['authorization_code']),
  },
  'On another device': {
    habits: only(DEVICE_CODE, {
      metadata: ({ origin }) => ({ device_authorization_endpoint: `${origin}/device` }),
      other: ({ path }, { origin }) => {
        const shown = { user_code: 'ABCD-EFGH', verification_uri: `${origin}/activate` };
        return path === '/device' ? { body: { device_code: 'device', expires_in: 60, ...shown } } : undefined;
      },
    }),
    proof: ([form]) => expect(form).toMatchObject({ grant_type: DEVICE_CODE, device_code: 'device' }),
  },
  'A server without client registration': {
    habits: nobodyRegisters,
    env: async ({ home }) => ({ BROWSER: (await createFakeBrowser(home.folder, 'follow')).command }),
    proof: ([form], { vendor }) => {
      expect(form).toMatchObject({ grant_type: 'authorization_code' });
      const basic = Buffer.from(`ID:${SECRET}`).toString('base64');
      expect(vendor.to('/token')[0]?.headers.authorization).toBe(`Basic ${basic}`);
    },
  },
  'A service': {
    habits: only('client_credentials', nobodyRegisters),
    proof: ([form]) => expect(form).toMatchObject({ grant_type: 'client_credentials' }),
  },
  'An enterprise': {
    habits: only(JWT_BEARER, nobodyRegisters),
    files: { 'id-token': jwtNamed('aWQ') },
    proof: ([form]) => expect(form).toMatchObject({ grant_type: JWT_BEARER, assertion: jwtNamed('amFn') }),
  },
  'A workload': {
    habits: only(JWT_BEARER, nobodyRegisters),
    files: { assertion: jwtNamed('d29ya2xvYWQ') },
    proof: ([form]) =>
      expect(form).toMatchObject({ grant_type: JWT_BEARER, assertion: jwtNamed('d29ya2xvYWQ') }),
  },
};

test('each way to sign in has a configuration, and each is tested here', () => {
  expect(ways.map(({ title }) => title)).toEqual(Object.keys(WAYS));
});

test('every configuration of the README is one of them', () => {
  const configurations = Array.from(readme.matchAll(JSON_BLOCK), ([, config]) => config);
  const tried = new Set(ways.map(({ config }) => config));
  expect(configurations.length).toBeGreaterThan(ways.length);
  expect(configurations.filter((config) => config === undefined || !tried.has(config))).toEqual([]);
});

test.concurrent.each(ways)('README, $title: the configuration works as written', async (found) => {
  const way = WAYS[found.title] as Way;
  await using home = await createTemporaryHome();
  await using vendor = await Vendor.start(way.habits ?? {});
  const issued = {
    issued_token_type: ID_JAG,
    access_token: jwtNamed('amFn'),
    token_type: 'N_A',
    expires_in: 300,
  };
  await using provider = await Vendor.start({ token: () => ({ body: issued }) });
  const place = { home, vendor, text: found.text };
  for (const [name, content] of Object.entries(way.files ?? {})) {
    await writeFile(join(home.folder, name), content);
  }
  await way.before?.(place);
  const here = found.config
    .replaceAll('https://example.com/mcp', vendor.mcpUrl)
    .replaceAll('https://idp.example.com/token', `${provider.origin}/token`)
    .replaceAll('/path/to', home.folder)
    .replaceAll('…', SECRET);
  const { mcpServers } = JSON.parse(here) as { mcpServers: Record<string, Server> };
  const [{ command, args, env = {} } = { command: '', args: [] }] = Object.values(mcpServers);
  expect([command, ...args.slice(0, 2)]).toEqual(['npx', '-y', 'mcp-drawbridge']);
  const host = startRawHost(args.slice(2), { env: home.env({ ...env, ...(await way.env?.(place)) }) });
  try {
    await host.initialize();
    const list = async () => JSON.stringify((await host.request('tools/list')).result);
    // Where no page opens, nothing is waited for: the tools come when the person is done.
    const changed = host.waitFor(({ method }) => method === 'notifications/tools/list_changed');
    if ((await list()).includes('sign_in')) await changed;
    else changed.catch(() => undefined);
    expect(await list()).toContain('echo');
  } finally {
    await host[Symbol.asyncDispose]();
  }
  way.proof(
    vendor.tokenForms.map((form) => Object.fromEntries(form)),
    place,
  );
});
