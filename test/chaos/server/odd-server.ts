import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Listening, listen, readBody } from '../../peers/net/listening.ts';
import { idKey, membersOf } from '../json-text.ts';
import type { Oddity, Scenario } from '../scenario.ts';
import { goodResult, inputRequired, oddResults } from './good-answers.ts';
import { type Held, hasRun, oddBody, respondOddly } from './odd-response.ts';
import { eventBytes, type Subject } from './pieces.ts';
import {
  type Came,
  isAnswerTo,
  type Json,
  listened,
  nonceOf,
  ownRefusal,
  placeOf,
  refusalOf,
  rightText,
  SSE_PATH,
  STREAM_TYPE,
} from './requests.ts';
import { ServerStreams } from './server-streams.ts';
import { wellKnown } from './well-known.ts';

/** How long a tool waits for the host's answer to its question. */
const QUESTION_MS = 3_000;
/** Streamable HTTP has one stream for all that is said outside of answers. */
const ANY_SESSION = '';
const JSON_TYPE = { 'content-type': 'application/json' };

/** An MCP server on loopback that behaves as its scenario says, and well where that says nothing. */
export class OddServer implements AsyncDisposable {
  /** Place and JSON-RPC method of each request, in order. */
  readonly requests: string[] = [];
  /** How often each call was run, by its nonce. */
  readonly runs = new Map<string, number>();
  /** Ids under which the host answered although nothing was asked under them. */
  readonly unasked: string[] = [];
  /** It answered as a server of the other era would. */
  misled = false;
  /** It asked for authorization. */
  challenged = false;
  readonly #scenario: Scenario;
  readonly #streams = new ServerStreams();
  readonly #held = new Set<Held>();
  readonly #taken: number[];
  readonly #questions = new Map<string, () => void>();
  readonly #pending = new Map<object, string>();
  readonly #sessions = new Set<string>();
  #isOdd = true;
  /** It has given sessions in an odd way, so that it cannot insist on them. */
  #isLenient = false;
  #asked = 0;
  #opened = 0;
  #listening: Listening | undefined;

  private constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#taken = scenario.oddities.map(() => 0);
  }

  static async start(scenario: Scenario, port = 0): Promise<OddServer> {
    const server = new OddServer(scenario);
    await server.#listen(port);
    return server;
  }

  async #listen(port: number): Promise<void> {
    this.#listening = await listen((request, response) => {
      // A connection that breaks under the server is the scenario's own doing.
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      this.#serve(request, response).catch(() => request.socket.destroy());
    }, port);
  }

  get origin(): string {
    return (this.#listening as Listening).origin;
  }

  get port(): number {
    return (this.#listening as Listening).port;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  /** The end of the odd time: hanging requests end, pending answers are sent, and all that follows is served well. */
  async heal(): Promise<void> {
    this.#isOdd = false;
    if (!(this.#listening as Listening).server.listening) await this.#listen(this.port);
    for (const held of this.#held) held.release(this.#scenario.release);
    this.#held.clear();
    for (const answered of this.#questions.values()) answered();
    this.#streams.payDebts();
  }

  /** Drops all connections and takes no more. */
  async leave(): Promise<void> {
    await this.#listening?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listening?.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)).toString('utf8');
    const url = new URL(request.url ?? '/', this.origin);
    const isMcp = ['/mcp', '/moved', SSE_PATH].includes(url.pathname);
    const members = body.startsWith('{') && isMcp ? membersOf(body) : new Map<string, string>();
    const rpc: Json = members.size > 0 ? JSON.parse(body) : {};
    const came: Came = {
      request,
      response,
      path: url.pathname,
      params: rpc.params,
      id: members.get('id'),
      method: rpc.method ?? '',
      place: isMcp ? placeOf(request.method, rpc) : 'well-known',
      session: this.#scenario.wire === 'sse' ? (url.searchParams.get('session') ?? '') : ANY_SESSION,
    };
    this.requests.push(`${came.place} ${came.method || `${request.method} ${url.pathname}`}`);
    if (came.place === 'host-answer') this.#takeAnswer(came.id ?? '');
    if (came.id !== undefined && came.method !== '') {
      this.#pending.set(came, came.id);
      response.once('close', () => this.#pending.delete(came));
    }
    const refusal = refusalOf(came, this.#scenario, {
      hasStream: this.#streams.has(came.session),
      knows: (session) => this.#sessions.has(session),
      insists: !this.#isLenient,
    });
    if (refusal !== undefined) return void response.writeHead(refusal.status, JSON_TYPE).end(refusal.body);
    const oddity = this.#takeOddity(came);
    return oddity === undefined ? this.#serveWell(came) : this.#serveOddly(came, oddity);
  }

  #takeOddity({ place }: Came): Oddity | undefined {
    if (!this.#isOdd) return undefined;
    return this.#scenario.oddities.find((oddity, at) => {
      if (oddity.place !== place) return false;
      const taken = this.#taken[at] as number;
      this.#taken[at] = taken + 1;
      return taken >= oddity.skip && taken < oddity.skip + oddity.times;
    });
  }

  async #serveOddly(came: Came, { reply, aside }: Oddity): Promise<void> {
    const { request, response, session, id, method, params, place } = came;
    const { wire } = this.#scenario;
    const subject = this.#subject(came);
    const body = oddBody(reply, subject);
    const text = reply.framing === 'json' ? body.toString('utf8') : '';
    const asks = method === 'tools/call' && this.#asksFirst(params);
    // A server that still wants input has not run the call.
    const wantsInput = asks || body.includes('"input_required"');
    if (method === 'tools/call' && !wantsInput && hasRun(reply, isAnswerTo(text, id))) this.#run(params);
    if (reply.status === 401 || reply.status === 403) this.challenged = true;
    this.#noteMisleading(came, `${text}${body.toString('utf8')}${aside.join()}`);
    const given = reply.headers?.['mcp-session-id'];
    if (place === 'initialize' || given !== undefined) this.#isLenient = true;
    if (given !== undefined) this.#sessions.add(Buffer.from(given, 'latin1').toString('latin1').trim());
    for (const piece of aside) this.#streams.write(session, eventBytes(piece, subject));
    const isAccepted = wire === 'sse' || reply.status === 202 || reply.status === 204;
    if (id !== undefined && method !== '' && isAccepted) {
      this.#streams.owe(session, eventBytes('answer', subject));
    }
    const opensStream = place === 'get' && reply.framing === 'events' && reply.status === 200;
    await respondOddly(
      reply,
      body,
      { request, response },
      { own: this.origin, other: this.origin.replace('127.0.0.1', 'localhost') },
      {
        hold: (held) => {
          if (this.#isOdd) this.#held.add(held);
          else held.release(this.#scenario.release);
        },
        rightBody: () =>
          reply.framing === 'events' ? eventBytes('answer', subject) : Buffer.from(rightText(subject)),
        keep: () => {
          if (opensStream) return this.#streams.add(this.#sessionOfStream(came), response);
          const right = reply.framing === 'events' ? eventBytes('answer', subject) : '';
          this.#held.add({
            release: (how) => void (how === 'reset' ? request.socket.resetAndDestroy() : response.end(right)),
          });
        },
      },
    );
  }

  /** With an answer that only a server of the other era would give, what comes after it cannot be held against the bridge. */
  #noteMisleading({ method }: Came, said: string): void {
    const { server } = this.#scenario;
    const foreign = server === 'modern' ? 'initialize' : 'server/discover';
    if (method === foreign && said.includes('result')) this.misled = true;
    if (server === 'legacy' && /-3202[0-2]/.test(said)) this.misled = true;
  }

  #subject({ id, method, params, place }: Came): Subject {
    const { server, wire } = this.#scenario;
    const otherId = [...this.#pending.values()].find((text) => text !== id);
    const asks = method === 'tools/call' && this.#asksFirst(params);
    const result = asks ? inputRequired(nonceOf(params)) : goodResult(server, method, params);
    const subject = { id, otherId, result: JSON.stringify(result), oddResults: oddResults(method) };
    const instead = ownRefusal(server, method, id);
    const opensSse = place === 'get' && wire === 'sse';
    return {
      ...{ ...subject, questionId: this.#scenario.questionId },
      ...(instead === undefined ? {} : { instead }),
      ...(opensSse ? { endpoint: `event: endpoint\ndata: ${SSE_PATH}?session=${this.#opened + 1}\n\n` } : {}),
    };
  }

  #sessionOfStream({ session }: Came): string {
    return this.#scenario.wire === 'sse' ? String(++this.#opened) : session;
  }

  async #serveWell(came: Came): Promise<void> {
    const { request, response, method, id, place, path, params } = came;
    const { wire, server, listens, session } = this.#scenario;
    if (place === 'well-known') return wellKnown(this.origin, path, response);
    if (place === 'delete') return void response.writeHead(server === 'legacy' ? 200 : 405).end();
    if (place === 'get') {
      if (server === 'modern' || (wire !== 'sse' && !listens)) return void response.writeHead(405).end();
      const subject = this.#subject(came);
      response.writeHead(200, STREAM_TYPE).flushHeaders();
      if (wire === 'sse') response.write(eventBytes('answer', subject));
      return this.#streams.add(this.#sessionOfStream(came), response);
    }
    if (id === undefined || method === '') return void response.writeHead(202).end();
    if (method === 'subscriptions/listen' && server === 'modern') return listened(id, params, response);
    const subject = this.#subject(came);
    if (method === 'tools/call' && !this.#asksFirst(params)) this.#run(params);
    const isOwnRefusal = subject.instead !== undefined && wire !== 'sse' && server === 'modern';
    if (isOwnRefusal) return void response.writeHead(400, JSON_TYPE).end(subject.instead);
    if (wire === 'sse') response.writeHead(202).end('Accepted');
    const say =
      wire === 'stream'
        ? (event: Buffer) => void response.write(event)
        : (event: Buffer) => void this.#streams.write(came.session, event);
    const headers: Record<string, string> = {};
    if (method === 'initialize' && session && server === 'legacy') {
      headers['mcp-session-id'] = `session-${this.#sessions.size}`;
      this.#sessions.add(headers['mcp-session-id']);
    }
    if (wire === 'stream') response.writeHead(200, { ...STREAM_TYPE, ...headers }).flushHeaders();
    if (server === 'legacy' && params?.name === 'ask') await this.#ask(say);
    if (wire === 'json')
      return void response.writeHead(200, { ...JSON_TYPE, ...headers }).end(rightText(subject));
    say(eventBytes('answer', subject));
    if (wire === 'stream') response.end();
    else if (request.socket.destroyed) this.#streams.owe(came.session, eventBytes('answer', subject));
  }

  /** Asks the host something and waits for its answer, for a moment. */
  async #ask(say: (event: Buffer) => void): Promise<void> {
    const id = this.#asked++ === 0 ? this.#scenario.questionId : `"question-${this.#asked}"`;
    const params = { message: 'Who?', requestedSchema: { type: 'object', properties: {} } };
    const question = `{"jsonrpc":"2.0","id":${id},"method":"elicitation/create","params":${JSON.stringify(params)}}`;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, QUESTION_MS);
      this.#questions.set(idKey(id), () => {
        clearTimeout(timer);
        resolve();
      });
      say(Buffer.from(`event: message\ndata: ${question}\n\n`));
      if (!this.#isOdd) this.#questions.get(idKey(id))?.();
    });
  }

  #takeAnswer(id: string): void {
    const known = [idKey(this.#scenario.questionId), '"ping-1"'];
    const key = idKey(id);
    if (!known.includes(key) && !this.#questions.has(key)) this.unasked.push(id);
    this.#questions.get(key)?.();
  }

  /** A modern server's tool that asks answers its first request with a question, and has not run by then. */
  #asksFirst(params: Json): boolean {
    return (
      this.#scenario.server === 'modern' && params?.name === 'ask' && params.inputResponses === undefined
    );
  }

  #run(params: Json): void {
    const nonce = nonceOf(params);
    this.runs.set(nonce, (this.runs.get(nonce) ?? 0) + 1);
  }
}
