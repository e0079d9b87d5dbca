import { readFileSync, watch } from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Journal } from '../net/journal.ts';

/**
 * follow: goes where a browser would and allows. deny: presses Deny on a consent page. ignore: opens and nobody does anything.
 * crash: ends with 1. chatty: follows, and prints on both of its outputs. forbidden: as ignore, and close() fails if it was opened.
 */
export type BrowserMode = 'follow' | 'deny' | 'ignore' | 'crash' | 'chatty' | 'forbidden';

export type BrowserRecord =
  | {
      readonly kind: 'opened';
      readonly at: number;
      readonly pid: number;
      readonly address: string;
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string | undefined>>;
      readonly cwd: string;
    }
  | {
      readonly kind: 'arrived';
      readonly at: number;
      readonly pid: number;
      readonly url: string;
      readonly status: number;
      readonly body: string;
    }
  | { readonly kind: 'failed'; readonly at: number; readonly pid: number; readonly reason: string };

type RecordOf<K extends BrowserRecord['kind']> = Extract<BrowserRecord, { kind: K }>;

/** A program for `$BROWSER` that is an HTTP client, and what its processes have noted. */
export class FakeBrowser implements AsyncDisposable {
  /** What to put into `$BROWSER`. */
  readonly command: string;
  readonly #records = new Journal<BrowserRecord>();
  readonly #folder: string;
  #mode: BrowserMode;
  #watcher: ReturnType<typeof watch> | undefined;

  private constructor(folder: string, mode: BrowserMode) {
    this.#folder = folder;
    this.#mode = mode;
    this.command = join(folder, 'browser');
  }

  static async create(parent: string, mode: BrowserMode = 'follow'): Promise<FakeBrowser> {
    const folder = join(parent, 'fake-browser');
    await mkdir(folder, { recursive: true });
    const browser = new FakeBrowser(folder, mode);
    await browser.setMode(mode);
    await writeFile(join(folder, 'records.jsonl'), '');
    await writeFile(browser.command, await script());
    await chmod(browser.command, 0o755);
    browser.#watcher = watch(folder, () => browser.#read());
    return browser;
  }

  async setMode(mode: BrowserMode): Promise<void> {
    this.#mode = mode;
    const file = join(this.#folder, 'mode.json');
    await writeFile(`${file}.new`, JSON.stringify({ mode }));
    await rename(`${file}.new`, file);
  }

  /** What its processes have noted by now. */
  get records(): Journal<BrowserRecord> {
    this.#read();
    return this.#records;
  }

  get opened(): readonly RecordOf<'opened'>[] {
    return this.records.entries.filter((record) => record.kind === 'opened');
  }

  get arrived(): readonly RecordOf<'arrived'>[] {
    return this.records.entries.filter((record) => record.kind === 'arrived');
  }

  /** Resolves when addresses were opened so many times in all. */
  async waitForOpened(count = 1, timeoutMs?: number): Promise<readonly RecordOf<'opened'>[]> {
    await this.records.until(() => this.opened.length >= count, {
      what: `${count} address(es) opened in the browser`,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    return this.opened;
  }

  /** Resolves when so many visits have ended on a page. */
  async waitForArrived(count = 1, timeoutMs?: number): Promise<readonly RecordOf<'arrived'>[]> {
    await this.records.until(() => this.arrived.length >= count, {
      what: `${count} visit(s) ended`,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    return this.arrived;
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    const [first] = this.opened;
    if (this.#mode === 'forbidden' && first !== undefined) {
      throw new Error(`a browser was opened that must not be touched: ${first.address}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Takes the whole lines that are new. Without a pause, so that what is counted is what the file holds by now. */
  #read(): void {
    let text: string;
    try {
      text = readFileSync(join(this.#folder, 'records.jsonl'), 'utf8');
    } catch (error) {
      // The folder may go before the watcher.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const lines = text.split('\n').slice(this.#records.entries.length, -1);
    for (const line of lines) this.#records.add(JSON.parse(line) as BrowserRecord);
  }
}

let bundled: Promise<string> | undefined;

/** The script as one CommonJS file that needs nothing but the Node that runs this. */
function script(): Promise<string> {
  bundled ??= build({
    entryPoints: [fileURLToPath(new URL('./browser-script.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    banner: { js: `#!${process.execPath}` },
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '');
  return bundled;
}

export function createFakeBrowser(folder: string, mode?: BrowserMode): Promise<FakeBrowser> {
  return FakeBrowser.create(folder, mode);
}
