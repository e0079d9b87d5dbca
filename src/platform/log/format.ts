import type { LogFields } from './logger.ts';
import { printable, printableLines } from './printable.ts';

/** One entry of the log, already redacted. */
export interface LogEntry {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: 'tell' | 'warn' | 'debug';
  /** For `tell` the whole message, which may have several lines; otherwise the name of the event. */
  readonly text: string;
  readonly fields: LogFields;
}

/** The entry for a person: `mcp-drawbridge: …`. Further lines have no prefix, so that an address can be copied. */
export function textLine(entry: LogEntry): string {
  if (entry.level === 'tell') return `mcp-drawbridge: ${printableLines(entry.text)}\n`;
  const level = entry.level === 'warn' ? 'warning' : `${new Date(entry.time).toISOString()} debug`;
  const fields = Object.entries(entry.fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${fieldText(value)}`);
  const details = fields.length === 0 ? '' : ` (${fields.join(', ')})`;
  return `mcp-drawbridge: ${level}: ${printable(entry.text)}${details}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value !== 'string') return String(value);
  const plain = printable(value);
  return /[\s,()"=]/.test(plain) && !/^[a-z]+:\/\/\S+$/.test(plain)
    ? printable(JSON.stringify(value))
    : plain;
}

/** The entry as one JSON object and a line break, with everything escaped that a terminal would interpret. */
export function jsonLine(entry: LogEntry): string {
  const { time, level, text, fields } = entry;
  const named = level === 'tell' ? { message: text } : { event: text };
  const json = JSON.stringify({ time: new Date(time).toISOString(), level, ...named, ...fields });
  return `${json.replace(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escapedUnit)}\n`;
}

const escapedUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
