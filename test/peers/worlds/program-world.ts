import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from '../authorization-servers/authorization-server.ts';
import { type BrowserMode, createFakeBrowser, type FakeBrowser } from '../browsers/browser.ts';
import { type RawHost, type RawHostOptions, startRawHost } from '../hosts/raw-host.ts';
import { type PeerMcpServer, startMcpServer } from '../mcp-servers/mcp-server.ts';
import { createTemporaryHome, type TemporaryHome } from '../processes/home.ts';

/** A person's machine with the built program on it, a browser, a protected server and its authorization server. */
export class ProgramWorld implements AsyncDisposable {
  readonly home: TemporaryHome;
  readonly browser: FakeBrowser;
  readonly authority: AuthorizationServer;
  readonly server: PeerMcpServer;

  private constructor(parts: Pick<ProgramWorld, 'home' | 'browser' | 'authority' | 'server'>) {
    this.home = parts.home;
    this.browser = parts.browser;
    this.authority = parts.authority;
    this.server = parts.server;
  }

  static async create(mode: BrowserMode, options: AuthorizationServerOptions = {}): Promise<ProgramWorld> {
    const home = await createTemporaryHome();
    const browser = await createFakeBrowser(home.folder, mode);
    const authority = await startAuthorizationServer(options);
    return new ProgramWorld({ home, browser, authority, server: await startMcpServer({ authority }) });
  }

  /** Starts a bridge for a host; `env` is added to the person's environment. */
  start(options: Partial<RawHostOptions> & { readonly args?: readonly string[] } = {}): RawHost {
    const { args = [], env, ...rest } = options;
    return startRawHost([this.server.url, ...args], {
      ...rest,
      env: this.home.env({ BROWSER: this.browser.command, ...env }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
    await this.authority.close();
    await this.browser.close();
    await this.home.close();
  }
}

export function createProgramWorld(...args: Parameters<typeof ProgramWorld.create>): Promise<ProgramWorld> {
  return ProgramWorld.create(...args);
}
