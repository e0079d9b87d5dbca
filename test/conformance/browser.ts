// Bundled by run.ts into one executable file, which is `$BROWSER` for the program: a person who allows everything.
import { visit } from '../peers/browsers/browser-visit.ts';

visit(process.argv.at(-1) ?? '', { answer: 'allow' }).catch(() => {
  process.exitCode = 1;
});
