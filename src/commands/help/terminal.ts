import { ownCommand } from '../../platform/program/program-command.ts';
import { shownAddress } from '../../protocol/quote.ts';

/** The message of a bridge that a person has started in a terminal, without an MCP host. */
export function terminalText(server: URL): string {
  const href = shownAddress(server.href);
  return [
    'This is the bridge, which waits for a host to speak MCP to it on stdin. Ctrl-C ends it. You may want one of these instead:',
    `  ${ownCommand('install', href)}   to put it into your hosts`,
    `  ${ownCommand('login', href)}   to sign in now`,
    `  ${ownCommand('doctor', href)}   to see whether the server can be reached`,
  ].join('\n');
}
