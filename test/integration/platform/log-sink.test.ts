import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/platform/clock.ts';
import { LOG_FILE_MAX_BYTES, LOG_FILES_KEPT } from '../../../src/platform/log/file.ts';
import type { Logger } from '../../../src/platform/log/logger.ts';
import { createLogSink, type LogSinkOptions } from '../../../src/platform/log/sink.ts';
import { keepSecret } from '../../../src/redaction/secrets.ts';

const clock: Clock = {
  now: () => Date.UTC(2026, 6, 28, 12),
  monotonic: () => 0,
  uptime: () => 0,
  sleep: async () => {},
};
const CANARY = 'c4nary-secret';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'drawbridge-log-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A stream that takes what it gets, or nothing before `resume()`. */
function reader({ paused = false } = {}) {
  const chunks: string[] = [];
  let waiting: (() => void) | undefined;
  let stopped = paused;
  const stream = new Writable({
    write(chunk, _, done) {
      const take = () => {
        chunks.push(String(chunk));
        done();
      };
      if (stopped) waiting = take;
      else take();
    },
  });
  const resume = () => {
    stopped = false;
    waiting?.();
  };
  return { stream, resume, text: () => chunks.join('') };
}

function sink(options: Partial<LogSinkOptions> = {}) {
  const stderr = reader();
  const log = createLogSink({
    format: 'text',
    debug: false,
    silent: false,
    clock,
    stderr: stderr.stream,
    ...options,
  });
  return { log, stderr };
}

test('quiet by default: prints only what a person has to know', () => {
  const { log, stderr } = sink();
  log.inform('hello');
  log.warn('odd', { status: 500 });
  log.debug('detail');
  expect(stderr.text()).toBe('mcp-drawbridge: hello\nmcp-drawbridge: warning: odd (status=500)\n');
});

test('silent: prints nothing on stderr, and still writes the debug file', async () => {
  const folder = join(home, 'logs');
  const { log, stderr } = sink({ silent: true, debug: true, folder });
  log.inform('hello');
  await log.close();
  expect(stderr.text()).toBe('');
  expect(readFileSync(log.file ?? '', 'utf8')).toContain('"message":"hello"');
});

test('no secret leaves by any channel, whatever the level and the format (SECURITY.md, attack 41)', async () => {
  for (const format of ['text', 'json'] as const) {
    const { log, stderr } = sink({ format, debug: true, folder: join(home, format), secrets: [CANARY] });
    keepSecret('another-secret');
    for (const text of [
      CANARY,
      `Bearer ${CANARY}`,
      'x another-secret y',
      encodeURIComponent('another-secret'),
    ]) {
      log.inform(text);
      log.warn(text, { error: text });
      log.debug(text, { detail: text, address: `https://a/?x=${text}` });
    }
    await log.close();
    for (const output of [stderr.text(), readFileSync(log.file ?? '', 'utf8')]) {
      expect(output).toContain('[redacted]');
      expect(output).not.toMatch(/c4nary|another-secret/);
    }
  }
});

test('a secret is not cut in half by the limit of a line', () => {
  const { log, stderr } = sink({ secrets: [CANARY] });
  for (let offset = 0; offset < CANARY.length; offset++)
    log.inform(`${'x'.repeat(8 * 1024 - offset)}${CANARY}`);
  expect(stderr.text()).not.toContain('c4n');
});

test.each([8, 64])(
  'a secret is not cut by the limit of %s KiB when the text before it became shorter',
  (kibibytes) => {
    const token = 'a-token-of-43-characters-0123456789-abcdefg';
    const { log, stderr } = sink({ secrets: [token] });
    const filling = `${token} `.repeat(Math.floor((kibibytes * 1024) / 44) - 2);
    for (let n = 0; n < 2 * token.length; n++) {
      log.inform(`${'x'.repeat(kibibytes * 1024 - filling.length - (n % 88))}${filling}${token}`);
    }
    expect(stderr.text()).not.toMatch(/a-tok|defg/);
  },
);

describe('an unread stderr (test/README.md, fault 42)', () => {
  test('drops and counts lines, and reports the number when there is a reader again', async () => {
    const stderr = reader({ paused: true });
    const { log } = sink({ stderr: stderr.stream });
    for (let n = 0; n < 1000; n++) log.warn('x'.repeat(1000));
    expect(stderr.stream.writableLength).toBeLessThan(70 * 1024);
    stderr.resume();
    await log.close();
    log.inform('back');
    await log.close();
    const lines = stderr.text().trimEnd().split('\n');
    const lost = Number(/count=(\d+)/.exec(lines.at(-2) ?? '')?.[1]);
    expect(lines.at(-1)).toBe('mcp-drawbridge: back');
    expect(lost + lines.length - 2).toBe(1000);
  });

  test('closing waits for a limited time', async () => {
    const stderr = reader({ paused: true });
    const { log } = sink({ stderr: stderr.stream });
    log.inform('never read');
    await log.close();
  });

  test('continues after the reader is gone', async () => {
    const { log, stderr } = sink();
    stderr.stream.destroy(new Error('EPIPE'));
    await new Promise((resolve) => setImmediate(resolve));
    log.inform('to nobody');
    await log.close();
  });

  test('many logs in one process leave one listener on stderr', () => {
    const { stream } = reader();
    const options = { format: 'text', debug: false, silent: false, clock, stderr: stream } as const;
    for (let n = 0; n < 20; n++) createLogSink(options);
    expect(stream.listenerCount('error')).toBe(1);
  });
});

/** A program of its own, bundled: a loader would start a child that shares stderr, and libuv makes it blocking for both. */
async function bundled(contents: string): Promise<string> {
  const outfile = join(home, 'program.mjs');
  const resolveDir = new URL('../../../src/platform', import.meta.url).pathname;
  await build({ stdin: { contents, resolveDir }, outfile, bundle: true, platform: 'node', format: 'esm' });
  return outfile;
}

test.each(['a pipe', 'a file'])('the process goes on when its stderr is not read: %s', async (kind) => {
  const program = await bundled(`
    import { createLogSink } from './log/sink.ts';
    import { systemClock } from './clock.ts';
    const log = createLogSink({ format: 'text', debug: false, silent: false, clock: systemClock });
    for (let n = 0; n < 5000; n++) log.warn('x'.repeat(1000));
    await log.close();
    process.stdout.write('went on', () => process.exit(0));`);
  const stderr = kind === 'a pipe' ? 'pipe' : openSync(join(home, 'stderr'), 'w');
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', stderr] });
  const ended = once(child, 'exit'); // not 'close', which waits for stderr to be read
  expect(await text(child.stdout as Readable)).toBe('went on');
  expect((await ended)[0]).toBe(0);
  child.stderr?.destroy();
  if (kind === 'a file') expect(readFileSync(join(home, 'stderr'), 'utf8').split('\n')).toHaveLength(5001);
});

describe('the debug file', () => {
  /** A log whose file cannot be renamed: a folder has the name that it would get. */
  function unmovable() {
    const { log, stderr } = sink({ debug: true, folder: home });
    const file = log.file ?? '';
    const earlier = file.replace(/\.log$/, '.1.log');
    mkdirSync(earlier);
    log.debug('first');
    return { log, stderr, file, earlier };
  }

  function fill(log: Logger, bytes: number): void {
    const line = 'x'.repeat(8000);
    for (let n = 0; n < bytes / line.length; n++) log.debug(line);
  }

  test('one per instance, 0600 in 0700, JSON lines', async () => {
    const folder = join(home, 'logs');
    const { log } = sink({ debug: true, folder });
    log.debug('a', { status: 200 });
    await log.close();
    expect(log.file).toBe(join(folder, `2026-07-28T12-00-00.000Z-${process.pid}.log`));
    expect(statSync(log.file ?? '').mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(log.file ?? '', 'utf8'))).toMatchObject({ event: 'a', status: 200 });
  });

  test('rotated once at its limit: never more than two files of that size', async () => {
    const { log } = sink({ debug: true, silent: true, folder: home });
    fill(log, 3 * LOG_FILE_MAX_BYTES);
    log.debug('last');
    await log.close();
    const sizes = readdirSync(home).map((name) => statSync(join(home, name)).size);
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(LOG_FILE_MAX_BYTES);
    expect(
      readFileSync(log.file ?? '', 'utf8')
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toContain('"event":"last"');
  });

  test('a file that cannot be renamed is still written, and rotated once it can be', async () => {
    const { log, stderr, file, earlier } = unmovable();
    fill(log, 1.5 * LOG_FILE_MAX_BYTES);
    expect(statSync(file).size).toBeGreaterThan(LOG_FILE_MAX_BYTES);
    rmSync(earlier, { recursive: true });
    log.warn('last');
    await log.close();
    expect(readFileSync(earlier, 'utf8').split('\n')[0]).toContain('"event":"first"');
    expect(readFileSync(file, 'utf8')).toMatch(/^\{[^\n]*"event":"last"[^\n]*\}\n$/);
    expect(stderr.text()).not.toContain('no debug log');
  });

  test('a file that can never be renamed is closed at twice its limit, with one message', async () => {
    const { log, stderr, file } = unmovable();
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
          return false;
        }
      });
    expect(isOpen()).toBe(true);
    fill(log, 3 * LOG_FILE_MAX_BYTES);
    expect(isOpen()).toBe(false);
    log.warn('goes on');
    await log.close();
    expect(statSync(file).size).toBeGreaterThan(2 * LOG_FILE_MAX_BYTES - 9_000);
    expect(statSync(file).size).toBeLessThanOrEqual(2 * LOG_FILE_MAX_BYTES);
    expect(stderr.text().match(/no debug log/g)).toHaveLength(1);
    expect(stderr.text()).toContain('goes on');
  });

  test('deletes the oldest files, and leaves foreign files', async () => {
    for (let day = 10; day < 40; day++) writeFileSync(join(home, `2025-01-01T00-00-${day}.000Z-1.log`), '');
    writeFileSync(join(home, 'notes.log'), '');
    const { log } = sink({ debug: true, folder: home });
    await log.close();
    const names = readdirSync(home).sort();
    expect(names).toHaveLength(LOG_FILES_KEPT + 1);
    expect(names[0]).toBe('2025-01-01T00-00-21.000Z-1.log');
    expect(names).toContain('notes.log');
  });

  test('an old file that cannot be removed does not prevent a new file', async () => {
    for (let each = 10; each < 10 + LOG_FILES_KEPT + 2; each++) {
      mkdirSync(join(home, `2025-01-01T00-00-${each}.000Z-1.log`));
    }
    const { log, stderr } = sink({ debug: true, folder: home });
    log.debug('goes on');
    await log.close();
    expect(stderr.text()).not.toContain('no debug log');
    expect(readFileSync(log.file as string, 'utf8')).toContain('goes on');
  });

  test.each(['a link to a file', 'a link to a folder'])(
    'planted where it will be: %s (SECURITY.md, attack 34)',
    async (kind) => {
      const target = join(home, 'target');
      const folder = join(home, 'logs');
      if (kind === 'a link to a folder') {
        mkdirSync(target);
        symlinkSync(target, folder);
      } else {
        mkdirSync(folder);
        writeFileSync(target, 'mine');
        symlinkSync(target, join(folder, `2026-07-28T12-00-00.000Z-${process.pid}.log`));
      }
      const { log, stderr } = sink({ debug: true, folder });
      log.inform('goes on');
      await log.close();
      expect(log.file).toBeUndefined();
      expect(stderr.text()).toContain('warning: no debug log');
      expect(stderr.text()).toContain('goes on');
      if (kind === 'a link to a folder') expect(readdirSync(target)).toEqual([]);
      else expect(readFileSync(target, 'utf8')).toBe('mine');
    },
  );
});
