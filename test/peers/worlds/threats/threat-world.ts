import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { settingSecrets } from '../../../../src/compose/settings/setting-secrets.ts';
import { describeError } from '../../../../src/errors.ts';
import { systemClock } from '../../../../src/platform/clock.ts';
import { createLogSink, type LogSink } from '../../../../src/platform/log/sink.ts';
import { TemporaryHome } from '../../processes/home.ts';
import { Vendor, type VendorHabits } from '../../vendors/vendor.ts';
import { BridgeWorld, type BridgeWorldOptions } from '../bridge-world.ts';
import { CanaryOracle } from './canary-oracle.ts';

/** What begins every secret of one party, so that whatever it issues is a canary. The signs are those that forms, JSON and HTML escape. */
const MARKS = { authority: 'canary/of+authority=', stranger: 'canary/of+stranger=' };
export const CANARIES = {
  header: 'canary/of+the=user"header&',
  cookie: 'canary/of+the=user&cookie',
  /** In the address of the server. */
  query: 'canary/of+the=address"query&',
  session: 'canary/of+the=session"id',
  stickiness: 'canary/of+the=balancer&',
  clientSecret: 'canary/of+the=client"secret',
  deviceCode: 'canary/of+the=device&code',
};

/** Who does what it should not, in place of what it would do. Whatever is left out is well-behaved. */
export interface Attack {
  readonly server?: VendorHabits;
  readonly authority?: VendorHabits;
}

export interface Parties {
  readonly server: Vendor;
  readonly authority: Vendor;
  /** Serves whoever comes, as a server and as an authorization server: what reaches it has been given away. */
  readonly stranger: Vendor;
}

/**
 * A protected MCP server, its authorization server and a stranger, each at an origin of its own, and a bridge of a person who has secret headers. An attack is
 * one parameter: the same world without it is the control.
 */
export class ThreatWorld implements Parties, AsyncDisposable {
  readonly server: Vendor;
  readonly authority: Vendor;
  readonly stranger: Vendor;
  readonly bridge: BridgeWorld;
  readonly oracle: CanaryOracle;
  readonly #sink: LogSink;
  readonly #stderr: string[];
  readonly #home: TemporaryHome;

  private constructor(
    parties: Parties,
    bridge: BridgeWorld,
    said: { readonly sink: LogSink; readonly stderr: string[]; readonly home: TemporaryHome },
  ) {
    this.server = parties.server;
    this.authority = parties.authority;
    this.stranger = parties.stranger;
    this.bridge = bridge;
    this.#sink = said.sink;
    this.#stderr = said.stderr;
    this.#home = said.home;
    this.oracle = oracleOf(parties)
      .place('stdout', () => this.bridge.bridge.received.entries.map(({ line }) => line))
      .place('stderr', () => this.#stderr)
      .place('the log', () => this.#logs())
      .place('the arguments of the browser', () => this.bridge.opened);
  }

  static async create(
    attack: (parties: Parties) => Attack = () => ({}),
    args: readonly string[] = [],
    options: BridgeWorldOptions = {},
  ): Promise<ThreatWorld> {
    const parties = await startParties(attack);
    const home = await TemporaryHome.create();
    const stderr: string[] = [];
    const sink = createLogSink({
      format: 'text',
      debug: true,
      silent: false,
      clock: systemClock,
      folder: join(home.folder, 'logs'),
      // As the program's own composition has it.
      secrets: settingSecrets({ headers: HEADERS, server: new URL(addressOf(parties)) }, {}),
      stderr: new Writable({
        write: (chunk, _, done) => {
          stderr.push(String(chunk));
          done();
        },
      }),
    });
    // With `--debug` a sign-in writes a log of what it does.
    const all = ['--debug', ...USER_HEADERS, ...args];
    const bridge = await BridgeWorld.to(addressOf(parties), all, { ...options, logger: sink });
    return new ThreatWorld(parties, bridge, { sink, stderr, home });
  }

  /** All that stderr and the log were told. */
  get told(): string {
    return [...this.#stderr, ...this.#logs()].join('');
  }

  /** Asks for the tools as a host does; why the sign-in that this brings about failed, or that it did not. */
  async refusal(): Promise<string> {
    await this.bridge.tools();
    const outcomes = await Promise.all(this.bridge.signIns);
    const failed = outcomes.find((outcome) => outcome.kind === 'failed');
    return failed === undefined ? 'no refusal' : describeError(failed.error);
  }

  /** The log of the bridge, and those of its sign-ins. */
  #logs(): string[] {
    const folder = join(this.bridge.home.state, 'logs');
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return [fileOf(this.#sink), ...names.map((name) => readFileSync(join(folder, name), 'utf8'))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge[Symbol.asyncDispose]();
    await this.#sink.close();
    for (const party of [this.server, this.authority, this.stranger]) await party[Symbol.asyncDispose]();
    await this.#home.close();
  }
}

const HEADERS = [
  ['X-Api-Key', CANARIES.header],
  ['Cookie', `session=${CANARIES.cookie}`],
] as const;
/** The user's headers, as on a command line. */
export const USER_HEADERS = HEADERS.flatMap(([name, value]) => ['--header', `${name}: ${value}`]);

/** As the user has it, with a key. */
export function addressOf({ server }: Parties): string {
  return `${server.mcpUrl}?api_key=${encodeURIComponent(CANARIES.query)}&mode=all`;
}

/** Each at its origin; what the attack leaves out is good behaviour. */
export async function startParties(attack: (parties: Parties) => Attack = () => ({})): Promise<Parties> {
  const [server, authority, stranger] = await Promise.all([Vendor.start(), Vendor.start(), Vendor.start()]);
  const parties = { server, authority, stranger };
  behave(parties, attack(parties));
  return parties;
}

/** From now on they behave so. */
export function behave({ server, authority, stranger }: Parties, attack: Attack = {}): void {
  server.habits = {
    ...merged(resourceServer(server, authority), attack.server),
    mark: MARKS.authority,
    repeats: true,
  };
  authority.habits = {
    ...merged(authorizationServer(), attack.authority),
    mark: MARKS.authority,
    repeats: true,
  };
  stranger.habits = {
    ...authorizationServer(),
    mark: MARKS.stranger,
    register: () => ({ status: 201, body: { client_id: 'client-of-the-stranger' } }),
    resourceMetadata: () => ({ resource: server.mcpUrl }),
    mcp: (rpc) => stranger.answer(rpc),
  };
}

function resourceServer(self: Vendor, issuer: Vendor): VendorHabits {
  const headers = {
    'mcp-session-id': CANARIES.session,
    'set-cookie': `balancer=${CANARIES.stickiness}; Path=/`,
  };
  return {
    resourceMetadata: () => ({ authorization_servers: [issuer.origin] }),
    mcp: (rpc, request) =>
      issuer.issuedTo(request) === undefined ? undefined : { ...self.answer(rpc), headers },
  };
}

/** With all that a bridge may make use of. */
function authorizationServer(): VendorHabits {
  let pushed = new URLSearchParams();
  return {
    metadata: ({ origin }) => ({
      device_authorization_endpoint: `${origin}/device`,
      pushed_authorization_request_endpoint: `${origin}/push`,
      revocation_endpoint: `${origin}/revoke`,
      token_endpoint_auth_methods_supported: ['client_secret_post'],
    }),
    register: () => ({
      status: 201,
      body: { client_id: 'registered-client', client_secret: CANARIES.clientSecret },
    }),
    authorize: (query, vendor) => (query.has('request_uri') ? vendor.sendBack(pushed) : undefined),
    token: (form, _request, vendor) =>
      form.get('device_code') === CANARIES.deviceCode ? vendor.issue() : undefined,
    other: ({ path, body }, { origin }) => {
      if (path === '/device') return { body: deviceAnswer(origin) };
      if (path === '/revoke') return {};
      if (path !== '/push') return undefined;
      pushed = new URLSearchParams(body);
      return { status: 201, body: { request_uri: 'urn:example:pushed', expires_in: 60 } };
    },
  };
}

export function deviceAnswer(origin: string) {
  return {
    device_code: CANARIES.deviceCode,
    user_code: 'ABCD-EFGH',
    interval: 5,
    expires_in: 600,
    verification_uri: `${origin}/activate`,
  };
}

/** What the attack does, and where it has nothing to say the good behaviour. */
function merged(good: VendorHabits, bad: VendorHabits = {}): VendorHabits {
  const fields = (name: 'metadata' | 'resourceMetadata') => (vendor: Vendor) => {
    const changed = bad[name]?.(vendor);
    return changed === null ? null : { ...good[name]?.(vendor), ...changed };
  };
  return {
    ...bad,
    metadata: fields('metadata'),
    resourceMetadata: fields('resourceMetadata'),
    authorize: (query, vendor) => bad.authorize?.(query, vendor) ?? good.authorize?.(query, vendor),
    token: (form, seen, vendor) => bad.token?.(form, seen, vendor) ?? good.token?.(form, seen, vendor),
    register: (vendor, seen) => bad.register?.(vendor, seen) ?? good.register?.(vendor, seen),
    mcp: (rpc, seen, vendor) => bad.mcp?.(rpc, seen, vendor) ?? good.mcp?.(rpc, seen, vendor),
    other: (seen, vendor) => bad.other?.(seen, vendor) ?? good.other?.(seen, vendor),
  };
}

/** Who of them may know what, and what each of them has seen. */
export function oracleOf({ server, authority, stranger }: Parties): CanaryOracle {
  const oracle = new CanaryOracle();
  for (const name of ['header', 'cookie', 'query', 'session', 'stickiness'] as const) {
    oracle.secret(name, CANARIES[name], ['the server']);
  }
  for (const name of ['clientSecret', 'deviceCode'] as const) {
    oracle.secret(name, CANARIES[name], ['the authorization server']);
  }
  for (const name of ['refresh', 'code'] as const) {
    oracle.secret(name, `${MARKS.authority}${name}-`, ['the authorization server']);
  }
  const verifiers = () => authority.tokenForms.flatMap((form) => form.getAll('code_verifier'));
  return oracle
    .secret('verifier', verifiers, ['the authorization server'])
    .secret('access', `${MARKS.authority}access-`, ['the server', 'the authorization server'])
    .place('the server', () => seenBy(server))
    .place('the authorization server', () => seenBy(authority))
    .place('the stranger', () => seenBy(stranger));
}

function seenBy({ requests }: Vendor): string[] {
  return requests.entries.map(({ url, rawHeaders, body }) => JSON.stringify([url, rawHeaders, body]));
}

function fileOf({ file }: LogSink): string {
  return file === undefined ? '' : readFileSync(file, 'utf8');
}
