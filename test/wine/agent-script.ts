// Bundled into one file and run by Windows' Node under Wine: what it starts has a Windows program as its parent, with the pipes of one.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { AgentRequest, AgentSays } from './agent-messages.ts';

/** libuv, uv/win.h: nobody else may open the file while it is open here, and nobody may rename or remove it. */
const UV_FS_O_EXLOCK = 0x1000_0000;

const socket = connect(Number(process.argv[2]), '127.0.0.1');
const children = new Map<number, ChildProcess>();
const held = new Map<number, number>();

function say(what: AgentSays): void {
  socket.write(`${JSON.stringify(what)}\n`);
}

function follow(request: AgentRequest): void {
  const { id } = request;
  const child = children.get(id);
  switch (request.do) {
    case 'start':
      return start(request);
    case 'stdin':
      child?.stdin?.write(Buffer.from(request.data, 'base64'));
      return;
    case 'end-stdin':
      child?.stdin?.end();
      return;
    case 'kill':
      // TerminateProcess: on Windows there is no other way.
      child?.kill('SIGKILL');
      return;
    case 'hold':
      held.set(id, openSync(request.path, UV_FS_O_EXLOCK));
      return say({ id, is: 'held' });
    case 'release':
      closeSync(held.get(id) as number);
      held.delete(id);
      return say({ id, is: 'released' });
  }
}

function start({ id, command, args, env, cwd, verbatim }: Extract<AgentRequest, { do: 'start' }>): void {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: 'pipe',
    windowsVerbatimArguments: verbatim,
    windowsHide: true,
  });
  children.set(id, child);
  child.once('error', (error) => say({ id, is: 'failed', reason: String(error) }));
  child.once('spawn', () => say({ id, is: 'started', pid: child.pid as number }));
  child.stdout.on('data', (chunk: Buffer) => say({ id, is: 'stdout', data: chunk.toString('base64') }));
  child.stderr.on('data', (chunk: Buffer) => say({ id, is: 'stderr', data: chunk.toString('base64') }));
  child.stdin.on('error', () => undefined);
  child.once('exit', (code) => say({ id, is: 'exited', code }));
  child.once('close', () => {
    children.delete(id);
    say({ id, is: 'closed' });
  });
}

createInterface({ input: socket }).on('line', (line) => {
  const request = JSON.parse(line) as AgentRequest;
  try {
    follow(request);
  } catch (error) {
    say({ id: request.id, is: 'failed', reason: String(error) });
  }
});
// The test has ended, however it did.
socket.on('close', () => {
  for (const child of children.values()) child.kill('SIGKILL');
  process.exit();
});
socket.on('error', () => process.exit(1));
