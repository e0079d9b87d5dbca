import type { LogFields } from './logger.ts';
import { printable, printableLines } from './printable.ts';

export interface LogEntry {
  readonly time: number;
  readonly level: 'tell' | 'warn' | 'debug';
  /** For `tell` the whole message, which may have lines; otherwise the name of what happened. */
  readonly text: string;
  readonly fields: LogFields;
}

/** For a person: `mcp-drawbridge: …`, the rest of the lines as they are, so that an address can be copied. */
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

/** One JSON object and a line break; nothing in it that a terminal would obey. */
export function jsonLine(entry: LogEntry): string {
  const { time, level, text, fields } = entry;
  const named = level === 'tell' ? { message: text } : { event: text };
  const json = JSON.stringify({ time: new Date(time).toISOString(), level, ...named, ...fields });
  return `${json.replace(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escapedUnit)}\n`;
}

const escapedUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
