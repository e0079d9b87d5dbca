import { readCommandLine } from '../../config/sources/command-line.ts';
import { canonicalServer } from '../../store/record/key.ts';
import type { ReadValue } from '../edit/document.ts';
import { type FoundCommand, packageCall, readCommand } from './command-words.ts';

/** An entry in a host's file, by what it runs. */
export type KnownEntry =
  | {
      readonly kind: 'ours' | 'mcp-remote';
      readonly command: FoundCommand;
      readonly args: readonly string[];
      readonly server: string | undefined;
    }
  | { readonly kind: 'other'; readonly command: FoundCommand | undefined };

/** How to recognize our own entries, besides the name of the package. */
export interface OwnProgram {
  /** Scripts of this program, absolute; a checkout has any name. */
  readonly scripts: readonly string[];
  /** The address in a file of `--config`; undefined if it is unreadable. */
  readonly addressIn: (file: string) => string | undefined;
}

/** What an entry runs. The server is its canonical address (part of the key of a login). */
export function knownEntry(value: ReadValue, own: OwnProgram): KnownEntry {
  const command = readCommand(value);
  if (command === undefined) return { kind: 'other', command };
  const script = command.words.findIndex((word) => own.scripts.includes(word));
  const call = script === -1 ? packageCall(command.words) : undefined;
  if (script !== -1 || call?.name === 'mcp-drawbridge') {
    const args = call?.args ?? command.words.slice(script + 1);
    return { kind: 'ours', command, args, server: canonical(addressOf(args, own)) };
  }
  if (call?.name !== 'mcp-remote') return { kind: 'other', command };
  return {
    kind: 'mcp-remote',
    command,
    args: call.args,
    server: canonical(call.args.find((word) => URL.canParse(word))),
  };
}

/** The canonical form of an address; undefined if it is not one. */
export function canonical(address: string | undefined): string | undefined {
  return address !== undefined && URL.canParse(address) ? canonicalServer(new URL(address)) : undefined;
}

function addressOf(args: readonly string[], { addressIn }: OwnProgram): string | undefined {
  try {
    const { given, positionals } = readCommandLine(args);
    const [config] = given.get('config') ?? [];
    return positionals[0] ?? given.get('url')?.[0]?.text ?? (config && addressIn(config.text));
  } catch {
    // Written for a later version, or by hand: the first address is the server's.
    return args.find((word) => /^https?:/.test(word) && URL.canParse(word));
  }
}
