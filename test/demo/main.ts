import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commandLine } from '../helpers/command-line.ts';
import { PROGRAM } from '../peers/hosts/host.ts';
import { serve } from './serve.ts';
import { tellStory } from './story.ts';

const USAGE = `npm run demo -- [flags]
  --serve   instead of the story: the servers, until Ctrl-C, and how to connect a host to them
`;

function readFlags(argv: readonly string[]): { readonly serve: boolean } {
  const options = { serve: { type: 'boolean', default: false } } as const;
  return parseArgs({ args: [...argv], options }).values;
}

await commandLine(USAGE, readFlags, async (flags) => {
  if (!existsSync(PROGRAM)) {
    process.stderr.write(`${PROGRAM} is not there: npm run build\n`);
    return 1;
  }
  if (!flags.serve) return (await tellStory()) ? 0 : 1;
  await serve();
  return 0;
});
