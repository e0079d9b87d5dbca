import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentialKey } from '../../src/store/record/key.ts';
import type { CredentialRecord } from '../../src/store/record/record.ts';
import { parseRecord } from '../../src/store/record/record-schema.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../peers/authorization-servers/authorization-server.ts';
import { createFakeBrowser, type FakeBrowser } from '../peers/browsers/browser.ts';
import type { Message, RawHost } from '../peers/hosts/raw-host.ts';
import { type PeerMcpServer, startMcpServer } from '../peers/mcp-servers/mcp-server.ts';
import { browserFile } from './wine.ts';
import { PATIENT, WineWorld } from './wine-world.ts';

/** A Windows with a browser, a protected server and its authorization server. */
export class LoginWorld implements AsyncDisposable {
  readonly wine: WineWorld;
  readonly browser: FakeBrowser;
  readonly authority: AuthorizationServer;
  readonly server: PeerMcpServer;

  private constructor(parts: Pick<LoginWorld, 'wine' | 'browser' | 'authority' | 'server'>) {
    this.wine = parts.wine;
    this.browser = parts.browser;
    this.authority = parts.authority;
    this.server = parts.server;
  }

  static async create(options: AuthorizationServerOptions = {}): Promise<LoginWorld> {
    const authority = await startAuthorizationServer(options);
    const wine = await WineWorld.create();
    const browser = await createFakeBrowser(wine.temporary);
    await writeFile(browserFile(), `#!/bin/sh\nexec '${browser.command}' "$@"\n`, { mode: 0o755 });
    return new LoginWorld({ authority, wine, browser, server: await startMcpServer({ authority }) });
  }

  start(
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    nodeArgs: readonly string[] = [],
  ): RawHost {
    return this.wine.host([this.server.url, ...args], env, nodeArgs);
  }

  /** A host that has been served. */
  async served(): Promise<RawHost> {
    const host = this.start();
    await host.initialize({}, PATIENT);
    await this.call(host, 'first');
    return host;
  }

  /** A call and its echo; fails where that does not come. */
  async call(host: RawHost, value: string): Promise<void> {
    const answer = await host.request('tools/call', { name: 'echo', arguments: { value } }, PATIENT);
    if (!isEcho(answer, value)) throw new Error(`${JSON.stringify(answer)} ${await this.#account(host)}`);
  }

  /** For the message of a failed call: how far the browser and its sign-in have come, and what the host has printed. */
  async #account(host: RawHost): Promise<string> {
    const browser = this.browser.records.entries.map(({ kind, at, ...rest }) =>
      kind === 'opened' ? { kind, at } : { kind, at, ...rest },
    );
    return JSON.stringify({ browser, server: this.authority.counters, stderr: host.stderr.slice(-1_000) });
  }

  /** The record's file. */
  get recordPath(): string {
    const key = credentialKey({
      server: new URL(this.server.url),
      grant: 'authorization_code',
      profile: 'default',
    });
    return join(this.wine.state, 'credentials', `${key}.json`);
  }

  async record(): Promise<CredentialRecord> {
    const parsed = parseRecord(await readFile(this.recordPath));
    if (parsed.kind !== 'record') throw new Error(`the record is ${parsed.kind}`);
    return parsed.record;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.server.close();
    await this.authority.close();
    await this.wine[Symbol.asyncDispose]();
  }
}

function isEcho({ result }: Message, value: string): boolean {
  return JSON.stringify(result ?? null).includes(value);
}
