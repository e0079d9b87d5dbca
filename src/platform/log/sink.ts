import type { Writable } from 'node:stream';
import { describeError } from '../../errors.ts';
import { keepSecret, redactor } from '../../redaction/secrets.ts';
import type { Clock } from '../clock.ts';
import { createLogFile, type LogFile } from './file.ts';
import { jsonLine, type LogEntry, textLine } from './format.ts';
import type { LogFields, Logger } from './logger.ts';
import { createLineWriter } from './stderr.ts';

/** Where and how the log is written. */
export interface LogSinkOptions {
  readonly format: 'text' | 'json';
  readonly debug: boolean;
  readonly silent: boolean;
  readonly clock: Clock;
  /** The folder for the file that `--debug` writes; without a folder there is no file. */
  readonly folder?: string | undefined;
  /** Secrets to redact from the start; `keepSecret` adds more. */
  readonly secrets?: readonly string[];
  readonly stderr?: Writable;
}

/** The logger that writes. */
export interface LogSink extends Logger {
  /** The path of the file that `--debug` writes. */
  readonly file: string | undefined;
  /** Waits briefly until stderr has taken the last lines, then closes the file. */
  close(): Promise<void>;
}

/** Longer texts are cut: nobody needs more of one text in a log. */
const TEXT_MAX_CHARACTERS = 8 * 1024;

/** Creates the only writer to stderr and to log files. Everything passes the redactor; logging never throws and never waits. */
export function createLogSink(options: LogSinkOptions): LogSink {
  const { clock } = options;
  for (const secret of options.secrets ?? []) keepSecret(secret, 'setting');
  const format = options.format === 'json' ? jsonLine : textLine;
  const stderr = createLineWriter(options.stderr ?? process.stderr, (count) =>
    format({
      time: clock.now(),
      level: 'warn',
      text: 'log lines were dropped because stderr was not read',
      fields: { count },
    }),
  );
  const toStderr = (entry: LogEntry): void => {
    if (!options.silent) stderr.write(format(entry));
  };

  let file: LogFile | undefined;
  const closeFile = (): void => {
    const closing = file;
    file = undefined;
    try {
      closing?.close();
    } catch {
      // A network disk may only say now that it is full. Nothing is left to be done about the file.
    }
  };
  const withoutFile = (error: unknown): void => {
    closeFile();
    toStderr({
      time: clock.now(),
      level: 'warn',
      text: 'no debug log',
      fields: { error: describeError(error) },
    });
  };
  if (options.debug && options.folder !== undefined) {
    try {
      file = createLogFile(options.folder, { now: clock.now(), pid: process.pid });
    } catch (error) {
      withoutFile(error);
    }
  }

  const emit = (level: LogEntry['level'], text: string, fields: LogFields): void => {
    const redact = level === 'tell' ? redactor.redactForPerson : redactor.redact;
    const entry: LogEntry = {
      time: clock.now(),
      level,
      text: clean(text, redact),
      fields: cleanFields(fields, redact),
    };
    toStderr(entry);
    try {
      file?.write(jsonLine(entry));
    } catch (error) {
      withoutFile(error);
    }
  };

  return {
    file: file?.path,
    inform: (message) => emit('tell', message, {}),
    warn: (event, fields = {}) => emit('warn', event, fields),
    debug: (event, fields = {}) => {
      if (options.debug) emit('debug', event, fields);
    },
    async close() {
      await stderr.flush();
      closeFile();
    },
  };
}

type Redact = (text: string, limit: number) => string;

function clean(text: string, redact: Redact): string {
  return `${redact(text, TEXT_MAX_CHARACTERS)}${text.length > TEXT_MAX_CHARACTERS ? '…' : ''}`;
}

function cleanFields(fields: LogFields, redact: Redact): LogFields {
  const cleaned: Record<string, string | number | boolean | null> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) cleaned[name] = typeof value === 'string' ? clean(value, redact) : value;
  }
  return cleaned;
}
