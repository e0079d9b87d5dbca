import type { Config } from '../config/config.ts';
import { runningProgram } from '../platform/process/program-command.ts';
import { shellCommand } from '../platform/process/shell-words.ts';

/** How the user can sign in for a process that cannot ask them: a command that signs in to the same credential. */
export function signInHint(
  config: Pick<Config, 'loginCommand' | 'store'>,
  platform: NodeJS.Platform = process.platform,
  program: readonly string[] = runningProgram(),
): string {
  const { loginCommand, store } = config;
  if (store === 'memory') {
    return 'With --store memory, processes do not share a login: provide one in MCP_DRAWBRIDGE_CREDENTIALS.';
  }
  const { words, notes } = loginCommand;
  const all = [...program, 'login', ...words];
  const how = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
  return `Run${how}: ${shellCommand(all, platform)}`;
}
