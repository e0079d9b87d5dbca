import { createHash } from 'node:crypto';
import { type Cell, MAX_CELL_BYTES, type Replaced } from '../shared/engine.ts';
import type { RedisClient, Reply } from './client.ts';
import { BadReplyError, EngineRefusal } from './errors.ts';

/**
 * Reads a cell, and replaces it if it has the given `seq` and epoch. KEYS: the cell. ARGV: '' to read, else the seq; the epoch or ''; the new body; the
 * milliseconds until it expires or 0; '1' to notify watchers; the new seq.
 *
 * A cell is a hash: `s` its seq, `b` its body. A value of another form counts as a cell that was never written, and a body larger than ours can be
 * as an empty one, so that nobody can create a cell that cannot be replaced. Nothing that can fail follows HSET: an error reply means
 * that nothing was changed.
 */
const SCRIPT = `
local time = redis.call('TIME')
local function info(section)
  local text = redis.pcall('INFO', section)
  return type(text) == 'string' and text or ''
end
local server, replication = info('server'), info('replication')
local run, history = string.match(server, 'run_id:(%x+)'), string.match(replication, 'master_replid:(%x+)')
local epoch = run and history and run .. '-' .. history or ''
local cell = redis.pcall('HMGET', KEYS[1], 's', 'b')
local foreign = cell.err ~= nil and string.sub(cell.err, 1, 9) == 'WRONGTYPE'
if cell.err and not foreign then return cell end
local seq, body = tonumber(not foreign and cell[1] or '0') or 0, not foreign and cell[2]
if seq < 0 or seq > 9e15 or seq ~= math.floor(seq) then seq = 0 end
if body and #body > ${MAX_CELL_BYTES} then body = '' end
local done = -1
if ARGV[1] == '' then
  done = 0
elseif tonumber(ARGV[1]) == seq and (ARGV[2] == '' or ARGV[2] == epoch) then
  if foreign then redis.call('PEXPIRE', KEYS[1], 0) end
  seq = tonumber(ARGV[6])
  redis.call('HSET', KEYS[1], 's', string.format('%.0f', seq), 'b', ARGV[3])
  if ARGV[4] == '0' then redis.pcall('PERSIST', KEYS[1]) else redis.pcall('PEXPIRE', KEYS[1], ARGV[4]) end
  if ARGV[5] == '1' then redis.pcall('PUBLISH', KEYS[1], string.format('%.0f', seq)) end
  done, body = 1, false
end
local role, replicas = string.match(replication, 'role:(%a+)'), string.match(replication, 'connected_slaves:(%d+)')
return {done, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), epoch, string.format('%.0f', seq), body, role or '', replicas or ''}
`;
const SHA = createHash('sha1').update(SCRIPT).digest('hex');

/** What the script returns: about the cell, and about the server. */
export interface ScriptReply {
  readonly done: 'read' | 'written' | 'superseded';
  readonly cell: Cell;
  /** `master` or `slave`, as reported by Redis; undefined: it does not say. */
  readonly role: string | undefined;
  readonly replicas: number;
}

/** A replacement; expiresInMs 0: never. */
export interface Replacement extends Replaced {
  readonly body: Uint8Array;
  readonly expiresInMs: number;
  readonly tell: boolean;
}

/** Runs the script, to read or to replace. A server that does not know the script yet says so without running anything (NOSCRIPT), and gets its source. */
export async function runScript(
  client: RedisClient,
  cell: string,
  replacement: Replacement | undefined,
  atMostMs: number,
): Promise<ScriptReply> {
  const words = [1, cell, ...(replacement === undefined ? [''] : wordsOf(replacement))];
  const reply = await client.send('EVALSHA', [SHA, ...words], atMostMs).catch((error: unknown) => {
    if (error instanceof EngineRefusal && error.reply === 'NOSCRIPT') {
      return client.send('EVAL', [SCRIPT, ...words], atMostMs);
    }
    throw error;
  });
  return readReply(reply);
}

function wordsOf({
  seq,
  epoch,
  next = seq + 1,
  body,
  expiresInMs,
  tell,
}: Replacement): (string | number | Uint8Array)[] {
  return [seq, epoch ?? '', body, Math.ceil(expiresInMs), tell ? '1' : '0', next];
}

const DONE: Readonly<Record<number, ScriptReply['done']>> = { 0: 'read', 1: 'written', [-1]: 'superseded' };
/** Longer than the two ids that make an epoch. */
const MAX_EPOCH_CHARACTERS = 128;

function readReply(reply: Reply): ScriptReply {
  if (!Array.isArray(reply)) throw new BadReplyError('no answer of the script');
  const [code, now, epoch, seq, body, role, replicas] = reply as readonly Reply[];
  const done = typeof code === 'number' ? DONE[code] : undefined;
  const numbers = [Number(textOf(now)), Number(textOf(seq)), Number(textOf(replicas) || '0')];
  const isBody = body === null || body instanceof Uint8Array;
  if (done === undefined || !isBody || !numbers.every((each) => Number.isSafeInteger(each) && each >= 0)) {
    throw new BadReplyError('no answer of the script');
  }
  const [time = 0, number = 0, count = 0] = numbers;
  const known = textOf(epoch).slice(0, MAX_EPOCH_CHARACTERS);
  return {
    done,
    cell: {
      seq: number,
      now: time,
      ...(body === null ? {} : { body: new Uint8Array(body) }),
      ...(known === '' ? {} : { epoch: known }),
    },
    role: textOf(role) === '' ? undefined : textOf(role),
    replicas: count,
  };
}

/** The string of a reply that should be one; as a number NaN if it is not. */
function textOf(reply: Reply | undefined): string {
  return reply instanceof Uint8Array ? Buffer.from(reply).toString() : 'none';
}
