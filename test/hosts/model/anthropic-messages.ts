import { object, objects, type StreamEvent, type Turn, type Wire } from './wire.ts';

const USAGE = { input_tokens: 10, output_tokens: 10 };

/** Anthropic's Messages API, `POST /v1/messages`. */
export const anthropicMessages: Wire = {
  read: (body) => {
    const { tools, stream } = object(body);
    return {
      tools: objects(tools).map(({ name }) => ({ name: String(name) })),
      stream: stream === true,
      text: JSON.stringify(body),
    };
  },
  stream: (turn, model) => {
    const events: object[] = [
      { type: 'message_start', message: { ...message(model), content: [], stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: emptyBlock(turn) },
      { type: 'content_block_delta', index: 0, delta: delta(turn) },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: reason(turn), stop_sequence: null }, usage: USAGE },
      { type: 'message_stop' },
    ];
    return events.map((data): StreamEvent => ({ name: (data as { type: string }).type, data }));
  },
  whole: (turn, model) => ({ ...message(model), content: [block(turn)], stop_reason: reason(turn) }),
};

function message(model: string): object {
  return {
    id: `msg_${Date.now()}`,
    type: 'message',
    role: 'assistant',
    model,
    stop_sequence: null,
    usage: USAGE,
  };
}

function block(turn: Turn): object {
  if (turn.kind === 'words') return { type: 'text', text: turn.words };
  return { type: 'tool_use', id: turn.id, name: turn.tool.name, input: turn.input };
}

function emptyBlock(turn: Turn): object {
  return turn.kind === 'words' ? { type: 'text', text: '' } : { ...block(turn), input: {} };
}

function delta(turn: Turn): object {
  return turn.kind === 'words'
    ? { type: 'text_delta', text: turn.words }
    : { type: 'input_json_delta', partial_json: JSON.stringify(turn.input) };
}

function reason(turn: Turn): string {
  return turn.kind === 'words' ? 'end_turn' : 'tool_use';
}
