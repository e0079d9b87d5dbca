import type { Figures } from '../figures.ts';
import type { Job } from '../jobs.ts';
import { measureCalls, measureLarge, measureNotifications } from './calls.ts';
import { measureEnds } from './ends.ts';
import { growInFlight, growInstances, growSession, growSizes } from './growth.ts';
import { measureRest } from './rest.ts';
import { measureBareNode, measureStart } from './start.ts';

/** The host of the bench, a process of its own: does one job, tells its parent what it measured, and ends. */
function run({ subject, work }: Job): Promise<Figures> {
  switch (work.kind) {
    case 'start':
      return measureStart(subject);
    case 'rest':
      return measureRest(subject, work.calls, work.engine);
    case 'ends':
      return measureEnds(subject);
    case 'bare-start':
      return measureBareNode(work.node);
    case 'calls':
      return measureCalls(subject, work.count, work.load);
    case 'notifications':
      return measureNotifications(subject, work.count);
    case 'large':
      return measureLarge(subject, work.bytes, work.way);
    case 'sizes':
      return growSizes(subject, work.bytes);
    case 'in-flight':
      return growInFlight(subject, work.levels, work.count);
    case 'session':
      return growSession(subject, work.marks);
    case 'instances':
      return growInstances(subject, work.count);
  }
}

process.once('message', (job: Job) => {
  run(job).then(
    (figures) => process.send?.({ figures }, () => process.exit()),
    (error: unknown) => process.send?.({ failure: String(error) }, () => process.exit(1)),
  );
});
// The bench that started it is gone.
process.on('disconnect', () => process.exit());
