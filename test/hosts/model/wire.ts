/** What a request to a model asks for, as far as the stand-in for a model looks at it. */
export interface Asked {
  /** The names of the tools that the host offers, as the model would have to call them. */
  readonly tools: readonly OfferedTool[];
  readonly stream: boolean;
  /** The whole request, to look for what a tool answered. */
  readonly text: string;
}

export interface OfferedTool {
  readonly name: string;
  /** The Responses API groups tools; a call names the group beside the tool. */
  readonly namespace?: string;
  /** The Responses API also knows tools that take a text instead of JSON. */
  readonly isText?: boolean;
}

/** What the model answers: one call of a tool, or words, with which its turn ends. */
export type Turn =
  | { readonly kind: 'call'; readonly id: string; readonly tool: OfferedTool; readonly input: object }
  | { readonly kind: 'words'; readonly words: string };

/** One way to speak with a model: how its requests are read, and how an answer looks, streamed and whole. */
export interface Wire {
  read(body: unknown, path: string): Asked;
  /** The events of a streamed answer, in order. */
  stream(turn: Turn, model: string): readonly StreamEvent[];
  whole(turn: Turn, model: string): object;
}

export interface StreamEvent {
  /** The `event:` line, where the protocol has one. */
  readonly name?: string;
  readonly data: object | string;
}

type Json = Readonly<Record<string, unknown>>;

/** A member that should be a list of objects; empty where it is none. */
export function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];
}

export function object(value: unknown): Json {
  return Object(value) as Json;
}
