import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { refreshCredential } from '../../../src/auth/refresh/refresh-credential.ts';
import { createRefreshRequest } from '../../../src/auth/refresh/refresh-request.ts';
import { oauthDefaults } from '../../../src/config/oauth-config.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createHttp } from '../../../src/platform/http/undici.ts';
import { type Logger, silentLogger } from '../../../src/platform/log/logger.ts';
import { currentOwner } from '../../../src/platform/process/process-identity.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { findRuntimeFolder } from '../../../src/store/files/runtime-folder.ts';
import { openLeases } from '../../../src/store/lease/lease.ts';
import { moveToFile, moveToShared } from '../../../src/store/move/move-login.ts';
import { openStore, sealingOf } from '../../../src/store/open-store.ts';
import { killAtCall, suspendBefore } from '../faults/kill-at-call.ts';
import { enterLock, leaveLock } from './held-by-worker.ts';
import { openTestStore } from './redis-store.ts';
import type { WorkerAnswer, WorkerTask } from './store-workers.ts';

/** A process beside the test: does what it is sent, and answers. */
process.on('message', (task: WorkerTask) => {
  work(task).then(
    (answer) => send(answer),
    (error) => send({ failed: String(error?.code ?? error), message: String(error?.stack) }),
  );
});

function send(answer: WorkerAnswer): void {
  process.send?.(answer);
}

async function work(task: WorkerTask): Promise<WorkerAnswer> {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (event) => void warnings.push(event) };
  const store = await openStore({ home: task.home, logger });
  switch (task.do) {
    case 'look': {
      const read = await store.read(task.key);
      if (read.kind !== 'record') return { failed: read.kind };
      const { version, revision, ...rest } = read.record;
      const written = await store.write(task.key, rest, read.record);
      const again = await store.read(task.key);
      const runtime = store.writable ? undefined : await findRuntimeFolder(task.home);
      if (runtime !== undefined) await rm(runtime, { recursive: true });
      const revisionNow = again.kind === 'record' ? again.record.revision : 0;
      return { looked: { writable: store.writable, written: written.kind, revision: revisionNow, warnings } };
    }
    case 'refresh': {
      const sendRefreshRequest = createRefreshRequest({
        settings: oauthDefaults,
        server: new URL(task.server),
        allowHttp: false,
        clock: systemClock,
        createHttp: (allowAddress) => createHttp({ env: {}, allowAddress }),
      });
      const tools = { store, key: task.key, identity: { server: task.server } };
      const ports = { clock: systemClock, random: systemRandom, logger };
      // What the first refresh of a process loads is no step of the protocol.
      await import('../../../src/store/record/record-schema.ts');
      if (task.killAt !== undefined) await killAtCall(task.killAt);
      if (task.suspended === true) suspendBefore('rename');
      const stale = { token: task.staleToken, refused: task.due !== true };
      const signal = new AbortController().signal;
      const result = await refreshCredential({ ...tools, ...ports, sendRefreshRequest }, stale, signal);
      if (result.kind === 'usable') return { accessToken: result.record.tokens?.accessToken ?? '' };
      return { failed: result.kind === 'sign-in' ? `sign-in: ${result.reason}` : result.error.message };
    }
    case 'write': {
      const read = await store.read(task.key);
      if (read.kind !== 'record') return { failed: read.kind };
      const { version, revision, ...rest } = read.record;
      if (task.suspended === true) suspendBefore('rename');
      const note = { at: Date.now(), outcome: 'written' };
      const { kind } = await store.write(task.key, { ...rest, lastRefresh: note }, read.record);
      return { written: kind };
    }
    case 'remove':
      await store.remove(task.key);
      return { removed: true };
    case 'lease': {
      const leases = openLeases(store.folder);
      const lease = await leases.create(task.key, Date.now());
      if (lease.kind === 'created' && task.adopt) await leases.adopt(task.key, lease.nonce);
      return { lease: lease.kind };
    }
    case 'move': {
      const isRedis = task.shared.startsWith('redis:');
      const shared = isRedis
        ? (await openTestStore(task.shared, task.home)).store
        : await openStore({ home: task.shared, logger });
      const identity = { server: task.server };
      const at = { to: 'rediss://store.example', prefix: 'mcp-drawbridge' };
      const file = { store, sealing: sealingOf(store.folder) };
      const signal = new AbortController().signal;
      const parts = { key: task.key, identity, file, shared, sharedAt: at, force: false, signal };
      await currentOwner();
      await import('../../../src/store/locked-record.ts');
      if (task.killAt !== undefined) await killAtCall(task.killAt);
      const record = await (task.back ? moveToFile(parts) : moveToShared(parts));
      return { moved: record.tokens?.accessToken ?? '' };
    }
    case 'enter':
      // Asked for once in a process, and no step of the lock.
      await currentOwner();
      if (task.killAt !== undefined) await killAtCall(task.killAt);
      return enterLock(join(store.folder, task.key));
    case 'leave':
      return leaveLock();
  }
}

// Without a listener this signal ends the process; with one the write fails, as on a full disk.
process.on('SIGXFSZ', () => {});
send({ ready: true });
