import { existsSync } from 'node:fs';
import { PROGRAM } from '../peers/hosts/host.ts';
import { serve } from './serve.ts';
import { tellStory } from './story.ts';

const flags = process.argv.slice(2);
const unknown = flags.find((flag) => flag !== '--serve');
if (unknown !== undefined) {
  process.stderr.write(`unknown flag ${unknown}; the demo knows --serve\n`);
  process.exitCode = 2;
} else if (!existsSync(PROGRAM)) {
  process.stderr.write(`${PROGRAM} is not there: npm run build\n`);
  process.exitCode = 1;
} else if (flags.length > 0) {
  await serve();
} else if (!(await tellStory())) {
  process.exitCode = 1;
}
