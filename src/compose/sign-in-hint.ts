import type { Config } from '../config/config.ts';
import { shellCommand } from './shell-words.ts';

/** What a person types to sign in for a process that cannot ask them: it ends in the very credential that the process looks for. */
export function signInHint(
  config: Pick<Config, 'loginCommand' | 'nonInteractiveReason' | 'store'>,
  platform: NodeJS.Platform = process.platform,
): string {
  const { loginCommand, nonInteractiveReason, store } = config;
  if (store === 'memory') {
    return 'With --store memory no other process shares a login: bring one along in MCP_DRAWBRIDGE_CREDENTIALS.';
  }
  const { words, notes } = loginCommand;
  const manual = nonInteractiveReason === 'no-display' ? ['--no-browser'] : [];
  const all = ['mcp-drawbridge', 'login', ...words, ...manual];
  const how = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  return `Run${how}: ${shellCommand(all, platform)}`;
}
