import type { Survivor } from './survivors.ts';

/** What survives elsewhere, with the reasons. */
export const OTHER_SURVIVORS: readonly Survivor[] = [
  {
    file: 'src/bridge/timing/host-profile.ts',
    line: `name: typeof name === 'string' ? name.toLowerCase() : '',`,
    mutated: [`name: typeof name === 'string' ? name.toLowerCase() : "Stryker was here!",`],
    reason: 'No row of the table has either name.',
  },
  {
    file: 'src/bridge/timing/host-profile.ts',
    line: `version: typeof version === 'string' ? version : '',`,
    mutated: [`version: typeof version === 'string' ? version : "Stryker was here!",`],
    reason: 'Neither begins with a number, so neither is later than anything.',
  },
  {
    file: 'src/bridge/timing/host-profile.ts',
    line: 'if (part !== wanted) return part > wanted;',
    mutated: ['if (part !== wanted) return part >= wanted;'],
    reason: 'The two are different there.',
  },
  {
    file: 'src/bridge/stand-in/list-wait.ts',
    line: '#hasWaited = false;',
    mutated: ['#hasWaited = true;'],
    reason: 'It is asked for only once there is a beginning, and both ways to one set it.',
  },
  {
    file: 'src/bridge/timing/wait-budget.ts',
    line: `signal.addEventListener('abort', () => reject(signal.reason), { once: true });`,
    mutated: [
      `signal.addEventListener('abort', () => reject(signal.reason), {});`,
      `signal.addEventListener('abort', () => reject(signal.reason), { once: false });`,
    ],
    reason: 'A signal fires once, and a promise is settled once.',
  },
  {
    file: 'src/remote/http/backoff.ts',
    line: `return ms !== undefined && ms > MAX_RETRY_AFTER_MS ? 'too-long' : ms;`,
    mutated: [`return true && ms > MAX_RETRY_AFTER_MS ? 'too-long' : ms;`],
    reason: 'Undefined is not more than any number.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `if (id === undefined) return 'nothing';`,
    mutated: ['if (id === undefined) return "";'],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return found.includes('names-it') ? 'names-it' : 'nothing';`,
    mutated: [`return found.includes('names-it') ? 'names-it' : "";`],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return isSpeltAs(parsed.id, id) ? 'names-it' : 'nothing';`,
    mutated: [`return isSpeltAs(parsed.id, id) ? 'names-it' : "";`],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `if (text !== '') return contentType === 'text/event-stream' ? 'unreadable' : 'nothing';`,
    mutated: [`if (text !== '') return contentType === 'text/event-stream' ? 'unreadable' : "";`],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return isCut && !PAGES.has(contentType) ? 'unreadable' : 'nothing';`,
    mutated: [`return isCut && !PAGES.has(contentType) ? 'unreadable' : "";`],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return parsed.id !== null && isSpeltAs(parsed.id, id) ? 'names-it' : 'nothing';`,
    mutated: [`return parsed.id !== null && isSpeltAs(parsed.id, id) ? 'names-it' : "";`],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: 'default:',
    mutated: ['default:'],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return 'nothing';`,
    mutated: ['return "";'],
    reason: 'Only `answer`, `names-it` and `unreadable` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: '} catch (error) {',
    mutated: ['} catch (error) {}'],
    reason:
      'JSON.parse throws nothing but a SyntaxError; the check keeps a fault of our own from being hidden.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: 'if (!(error instanceof SyntaxError)) throw error;',
    mutated: ['if (false) throw error;'],
    reason:
      'JSON.parse throws nothing but a SyntaxError; the check keeps a fault of our own from being hidden.',
  },
  {
    file: 'src/eras/message/probe-classifier.ts',
    line: '} catch (error) {',
    mutated: ['} catch (error) {}'],
    reason:
      'JSON.parse throws nothing but a SyntaxError; the check keeps a fault of our own from being hidden.',
  },
  {
    file: 'src/eras/message/probe-classifier.ts',
    line: 'if (error instanceof SyntaxError) return undefined;',
    mutated: ['if (true) return undefined;'],
    reason:
      'JSON.parse throws nothing but a SyntaxError; the check keeps a fault of our own from being hidden.',
  },
];
