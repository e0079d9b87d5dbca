import type { Survivor } from './survivors.ts';

/** What survives in `src/store/`, with the reasons. */
export const STORE_SURVIVORS: readonly Survivor[] = [
  {
    file: 'src/store/record/rewrite-file.ts',
    line: 'const opened = await opener.open(key, read.bytes, async () => read.bytes);',
    mutated: ['const opened = await opener.open(key, read.bytes, () => undefined);'],
    reason: 'A file is read again where its key is not known, and here the key was asked for first.',
  },
  {
    file: 'src/store/record/rewrite-file.ts',
    line: 'if (error instanceof StoreError) return false;',
    mutated: ['if (true) return false;'],
    reason: 'Anything else is an error of the program.',
  },
  {
    file: 'src/store/record/set-aside.ts',
    line: 'if (form.keyId !== undefined) await rewriteFile(aside, key, form, sealing);',
    mutated: ['if (true) await rewriteFile(aside, key, form, sealing);'],
    reason: 'A plain file that is to be plain is left as it is.',
  },
  {
    file: 'src/store/record/read-record.ts',
    line: `await refuseMoved(path, basename(path, '.json'));`,
    mutated: [`await refuseMoved(path, basename(path, ""));`],
    reason: 'The tests of moved logins are in test/integration/store/move.test.ts, which starts processes.',
  },
  {
    file: 'src/store/record/read-record.ts',
    line: `return again.kind === 'bytes' ? again.bytes : bytes;`,
    mutated: [
      'return true ? again.bytes : bytes;',
      'return false ? again.bytes : bytes;',
      `return again.kind !== 'bytes' ? again.bytes : bytes;`,
      'return again.kind === "" ? again.bytes : bytes;',
    ],
    reason:
      'A record that is sealed again between two reads: test/process/store/keychain.test.ts, with running bridges.',
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
    line: `const rank = (name: string) => (name.endsWith('.reservation') ? 1 : 0);`,
    mutated: [
      'const rank = () => undefined;',
      `const rank = (name: string) => (name.startsWith('.reservation') ? 1 : 0);`,
      'const rank = (name: string) => (name.endsWith("") ? 1 : 0);',
    ],
    reason:
      'The order counts for a process that is killed in between; test/integration/auth/refresh/refresh-processes.test.ts kills it there.',
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
      'The order counts for a process that is killed in between; test/integration/auth/refresh/refresh-processes.test.ts kills it there.',
  },
  {
    file: 'src/store/reservation/response-file.ts',
    line: '} finally {',
    mutated: ['} finally {}'],
    reason: 'A file that is left open is closed by the garbage collector; nothing else changes.',
  },
  {
    file: 'src/store/lock/file-lock.ts',
    line: 'if (isWindows && isHeldOpen(error)) {',
    mutated: [
      'if (isWindows && isHeldOpen(error)) {}',
      'if (false) {',
      'if (isWindows || isHeldOpen(error)) {',
    ],
    reason:
      'Only Windows refuses to remove a folder that another program has open: `npm run test:wine` shows it (test/wine/refresh.test.ts, a `.json.lock` file).',
  },
  {
    file: 'src/store/lock/file-lock.ts',
    line: 'return retryWhileHeldOpen(async () => (isOurs() ? rmdir(path) : undefined));',
    mutated: ['return retryWhileHeldOpen(() => undefined);'],
    reason:
      'Only Windows refuses to remove a folder that another program has open: `npm run test:wine` shows it (test/wine/refresh.test.ts, a `.json.lock` file).',
  },
  {
    file: 'src/store/lock/file-lock.ts',
    line: `if (next.kind === 'held') hold = next.hold;`,
    mutated: ['if (true) hold = next.hold;'],
    reason: 'Without `onTurn` a wait ends with the lock or rejects; the types cannot know.',
  },
  {
    file: 'src/store/lock/file-lock.ts',
    line: 'if (now === undefined || now.ino !== own?.ino) return false;',
    mutated: ['if (now === undefined || now.ino !== own.ino) return false;'],
    reason: 'Only where the lock goes between its making and the first look at it.',
  },
  {
    file: 'src/store/lock/file-lock.ts',
    line: 'if (isOfRmdir(error)) await setAside(path, random);',
    mutated: ['if (true) await setAside(path, random);'],
    reason: 'The other error comes from a timer that fires between two steps, which no test can time.',
  },
  {
    file: 'src/store/lock/file-lock.ts',
    line: 'await (see(aside)?.isDirectory() === true ? rmdir(aside) : removeFile(aside));',
    mutated: ['await (see(aside).isDirectory() === true ? rmdir(aside) : removeFile(aside));'],
    reason: 'Only where something takes away what was put aside under a random name.',
  },
  {
    file: 'src/store/record/credential-key.ts',
    line: 'resource: ({ resource }) => (resource === undefined ? {} : { resource }),',
    mutated: ['resource: ({ resource }) => (false ? {} : { resource }),'],
    reason: '`credentialKey` takes undefined for absent; the types want it left out.',
  },
  {
    file: 'src/store/record/mcp-remote.ts',
    line: 'const candidates: { readonly base: string; readonly at: number }[] = [];',
    mutated: ['const candidates: { readonly base: string; readonly at: number }[] = ["Stryker was here"];'],
    reason: 'A text has no path: nothing is read for it.',
  },
  {
    file: 'src/store/record/mcp-remote.ts',
    line: `if (systemCode(error) === 'ENOENT') return [];`,
    mutated: [`if (systemCode(error) === 'ENOENT') return ["Stryker was here"];`],
    reason: 'No version is called so.',
  },
  {
    file: 'src/store/record/mcp-remote.ts',
    line: `if (read.kind !== 'bytes') return undefined;`,
    mutated: ['if (false) return undefined;'],
    reason: 'What cannot be read has no bytes: reading them throws, which is caught.',
  },
  {
    file: 'src/store/record/mcp-remote.ts',
    line: '} catch {',
    mutated: ['} catch {}'],
    reason: 'Undefined is returned in both cases.',
  },
  {
    file: 'src/store/record/portable.ts',
    line: `const field = parsed.error.issues[0]?.path.join('.');`,
    mutated: [`const field = parsed.error.issues[0].path.join('.');`],
    reason: 'A failure has an issue; the types cannot know.',
  },
  {
    file: 'src/store/record/portable.ts',
    line: `const probe = Buffer.from('probe');`,
    mutated: ['const probe = Buffer.from("");'],
    reason: 'Any bytes do for a signature that is only to fit its key.',
  },
  {
    file: 'src/store/record/portable.ts',
    line: '} catch {',
    mutated: ['} catch {}'],
    reason: 'Undefined is as false.',
  },
  {
    file: 'src/store/record/portable.ts',
    line: 'token_endpoint_auth_methods_supported: record.tokenEndpointAuthMethods?.slice(),',
    mutated: ['token_endpoint_auth_methods_supported: record.tokenEndpointAuthMethods,'],
    reason: 'Both are written as the same JSON; the types want a list that may be changed.',
  },
  {
    file: 'src/store/record/private-key.ts',
    line: `return createPrivateKey({ key: { ...jwk, ...(y === undefined ? {} : { y }) }, format: 'jwk' });`,
    mutated: [`return createPrivateKey({ key: { ...jwk, ...(false ? {} : { y }) }, format: 'jwk' });`],
    reason: 'Undefined is no coordinate; the types want it left out.',
  },
  {
    file: 'src/store/record/record-schema.ts',
    line: '} catch {',
    mutated: ['} catch {}'],
    reason: 'Undefined is no record either.',
  },
  {
    file: 'src/store/record/record-schema.ts',
    line: `return typeof version === 'number' && Number.isInteger(version) && version > 1 ? version : undefined;`,
    mutated: ['return true && Number.isInteger(version) && version > 1 ? version : undefined;'],
    reason: 'Only a number is an integer; the types cannot know.',
  },
  {
    file: 'src/store/record/record-schema.ts',
    line: "const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\\n`, 'utf8');",
    mutated: ['const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\\n`, "");'],
    reason: 'Node takes UTF-8 where no encoding is named.',
  },
  {
    file: 'src/store/record/key.ts',
    line: 'return a < b ? -1 : 1;',
    mutated: ['return a <= b ? -1 : 1;'],
    reason: 'Equal texts have no order among themselves.',
  },
  {
    file: 'src/store/record/set-aside.ts',
    line: 'return stats?.isDirectory() === false ? [{ path, at: stats.ctimeMs }] : [];',
    mutated: ['return stats.isDirectory() === false ? [{ path, at: stats.ctimeMs }] : [];'],
    reason: 'Only a file that goes between two looks, which no test can time.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: "if (cell === undefined || hold?.nonce !== me.nonce) return refused('held');",
    mutated: ["if (false || hold?.nonce !== me.nonce) return refused('held');"],
    reason:
      'A cell that is not there has no such process, so that the second question says the same; the first is for the types.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: "if (cell === undefined || mine?.nonce !== nonce) return refused('overtaken');",
    mutated: ["if (false || mine?.nonce !== nonce) return refused('overtaken');"],
    reason:
      'A cell that is not there has no such process, so that the second question says the same; the first is for the types.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: 'if (cell === undefined || mine?.nonce !== nonce) return AS_IS;',
    mutated: ['if (false || mine?.nonce !== nonce) return AS_IS;'],
    reason:
      'A cell that is not there has no such process, so that the second question says the same; the first is for the types.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: "if (cell === undefined || mine?.nonce !== nonce || mine.state === 'lost') return AS_IS;",
    mutated: ["if (false || mine?.nonce !== nonce || mine.state === 'lost') return AS_IS;"],
    reason:
      'A cell that is not there has no such process, so that the second question says the same; the first is for the types.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: "if (!isSameContent(cell?.state, state)) return refused('superseded');",
    mutated: ["if (!isSameContent(cell.state, state)) return refused('superseded');"],
    reason: 'Only reached where the ranks are equal, so that the cell has a state; the types cannot know.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: 'return me !== undefined && cell?.hold?.nonce === me.nonce ? put(withoutHold(cell)) : AS_IS;',
    mutated: ['return me !== undefined && cell.hold?.nonce === me.nonce ? put(withoutHold(cell)) : AS_IS;'],
    reason: 'Only reached where the ranks are equal, so that the cell has a state; the types cannot know.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: "if (one?.content.kind !== 'record' || other.content.kind !== 'record') return false;",
    mutated: ["if (one.content.kind !== 'record' || other.content.kind !== 'record') return false;"],
    reason: 'Only reached where the ranks are equal, so that the cell has a state; the types cannot know.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: 'if (cell?.state === undefined || stored?.family !== record.family)',
    mutated: ['if (false || stored?.family !== record.family)'],
    reason:
      'A cell without a state has no record of this family either; the first question is for the types.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: 'record.deadRefreshTokenHash !== undefined && reservationOf(cell, record.deadRefreshTokenHash);',
    mutated: ['true && reservationOf(cell, record.deadRefreshTokenHash);'],
    reason: 'No reservation is of a token without a hash.',
  },
  {
    file: 'src/store/shared/protocol/times.ts',
    line: 'return before !== undefined && Math.abs(measured - before) < STEADY_MS ? before : measured;',
    mutated: ['return true && Math.abs(measured - before) < STEADY_MS ? before : measured;'],
    reason: 'Nothing is near what was never measured: the difference is NaN.',
  },
  {
    file: 'src/store/shared/protocol/decisions.ts',
    line: "if (state.content.kind === 'removed' && state.content.family === record.family)",
    mutated: ['if (true && state.content.family === record.family)'],
    reason: 'Only what was removed has a family there; a record has it one level below.',
  },
];
