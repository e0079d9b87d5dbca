import type { Survivor } from './survivors.ts';

/** What survives elsewhere, with the reasons. */
export const OTHER_SURVIVORS: readonly Survivor[] = [
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
    file: 'src/store/reservation/reservation.ts',
    line: `if (stats === undefined || read.kind === 'absent') return undefined;`,
    mutated: [
      'if (stats === undefined || false) return undefined;',
      'if (stats === undefined || read.kind === "") return undefined;',
    ],
    reason:
      'Absent for the second look alone: only a file that goes between the two, which no test can time.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: `const reservation = read.kind === 'bytes' ? parseOwned(read.bytes) : undefined;`,
    mutated: ['const reservation = true ? parseOwned(read.bytes) : undefined;'],
    reason: 'What cannot be read is no reservation to the parser either.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: `if (read.kind !== 'bytes' || parseOwned(read.bytes)?.nonce !== nonce) return false;`,
    mutated: ['if (false || parseOwned(read.bytes)?.nonce !== nonce) return false;'],
    reason: 'What cannot be read is no reservation to the parser either.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: '() => false,',
    mutated: ['() => undefined,'],
    reason: 'Undefined is as false.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: 'let created = false;',
    mutated: ['let created = true;'],
    reason: 'A nonce that is in no file is never asked for; forgetting it only saves memory.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: '} finally {',
    mutated: ['} finally {}'],
    reason: 'A nonce that is in no file is never asked for; forgetting it only saves memory.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: 'if (!created) heldHere.delete(nonce);',
    mutated: ['if (false) heldHere.delete(nonce);'],
    reason: 'A nonce that is in no file is never asked for; forgetting it only saves memory.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: `const rank = (name: string) => (name.endsWith('.claim') ? 1 : 0);`,
    mutated: [
      'const rank = () => undefined;',
      `const rank = (name: string) => (name.startsWith('.claim') ? 1 : 0);`,
      'const rank = (name: string) => (name.endsWith("") ? 1 : 0);',
    ],
    reason:
      'The order counts for a process that is killed in between; test/integration/auth/refresh-processes.test.ts kills it there.',
  },
  {
    file: 'src/store/reservation/reservation.ts',
    line: 'for (const name of names.sort((a, b) => rank(a) - rank(b))) await removeFile(join(files.folder, name));',
    mutated: [
      'for (const name of names) await removeFile(join(files.folder, name));',
      'for (const name of names.sort(() => undefined)) await removeFile(join(files.folder, name));',
      'for (const name of names.sort((a, b) => rank(a) + rank(b))) await removeFile(join(files.folder, name));',
    ],
    reason:
      'The order counts for a process that is killed in between; test/integration/auth/refresh-processes.test.ts kills it there.',
  },
  {
    file: 'src/store/reservation/response-file.ts',
    line: '} finally {',
    mutated: ['} finally {}'],
    reason: 'A file that is left open is closed by the garbage collector; nothing else changes.',
  },
  {
    file: 'src/remote/http/backoff.ts',
    line: `return ms !== undefined && ms > MAX_RETRY_AFTER_MS ? 'too-long' : ms;`,
    mutated: [`return true && ms > MAX_RETRY_AFTER_MS ? 'too-long' : ms;`],
    reason: 'Undefined is not more than any number.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `if (id === undefined || body.length === 0) return 'nothing';`,
    mutated: [`if (id === undefined || false) return 'nothing';`],
    reason: 'An empty body is no JSON, and short: nothing, by the last case too.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `if (id === undefined || body.length === 0) return 'nothing';`,
    mutated: ['if (id === undefined || body.length === 0) return "";'],
    reason: 'Only `answer` and `names-it` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return isSpeltAs(parsed.id, id) ? 'names-it' : 'nothing';`,
    mutated: [`return isSpeltAs(parsed.id, id) ? 'names-it' : "";`],
    reason: 'Only `answer` and `names-it` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `: 'nothing';`,
    mutated: [': "";'],
    reason: 'Only `answer` and `names-it` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return parsed.id !== null && isSpeltAs(parsed.id, id) ? 'names-it' : 'nothing';`,
    mutated: [`return parsed.id !== null && isSpeltAs(parsed.id, id) ? 'names-it' : "";`],
    reason: 'Only `answer` and `names-it` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: 'default:',
    mutated: ['default:'],
    reason: 'Only `answer` and `names-it` are looked for: anything else is nothing.',
  },
  {
    file: 'src/remote/http/refusal.ts',
    line: `return 'nothing';`,
    mutated: ['return "";'],
    reason: 'Only `answer` and `names-it` are looked for: anything else is nothing.',
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
];
