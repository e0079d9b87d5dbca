import { Session } from 'node:inspector';
import { main } from '../../../src/main.ts';

/** A function of `src/` that ran, by its file below `src/`. A getter is `get name`, a private method `#name`; a closure has no name. */
export interface Walked {
  readonly file: string;
  readonly name: string;
}

/** The program, from its sources, which says on each message over IPC which functions ran since the message before. */
const session = new Session();
session.connect();
// Of a session in the same process the answer comes before `post` returns.
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

process.on('message', () => {
  session.post('Profiler.takePreciseCoverage', (error, taken) => {
    if (error !== null) throw error;
    const walked = taken.result.flatMap(({ url, functions }): Walked[] => {
      const [, file] = /\/src\/(.*)$/.exec(url) ?? [];
      if (file === undefined || url.includes('/node_modules/')) return [];
      return functions
        .filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0)
        .map(({ functionName }) => ({ file, name: functionName }));
    });
    process.send?.(walked);
  });
});

await main();
