import { object, objects, type Turn, type Wire } from './wire.ts';

const USAGE = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };

/** OpenAI's Chat Completions API, `POST /v1/chat/completions`. */
export const openaiChat: Wire = {
  read: (body) => {
    const { tools, stream } = object(body);
    return {
      tools: objects(tools).map((tool) => ({ name: String(object(tool.function).name) })),
      stream: stream === true,
      text: JSON.stringify(body),
    };
  },
  stream: (turn, model) => {
    const chunk = (delta: object, finish_reason: string | null) => ({
      data: {
        ...head(model),
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, finish_reason }],
      },
    });
    const calls = turn.kind === 'call' ? { tool_calls: [{ index: 0, ...call(turn) }] } : {};
    return [
      chunk({ role: 'assistant', content: turn.kind === 'words' ? turn.words : null, ...calls }, null),
      chunk({}, reason(turn)),
      { data: { ...head(model), object: 'chat.completion.chunk', choices: [], usage: USAGE } },
      { data: '[DONE]' },
    ];
  },
  whole: (turn, model) => {
    const message =
      turn.kind === 'words'
        ? { role: 'assistant', content: turn.words }
        : { role: 'assistant', content: null, tool_calls: [call(turn)] };
    const choices = [{ index: 0, message, finish_reason: reason(turn) }];
    return { ...head(model), object: 'chat.completion', choices, usage: USAGE };
  },
};

function head(model: string): object {
  return { id: 'chatcmpl-1', created: Math.floor(Date.now() / 1000), model };
}

function call({ id, tool, input }: Extract<Turn, { kind: 'call' }>): object {
  return { id, type: 'function', function: { name: tool.name, arguments: JSON.stringify(input) } };
}

function reason(turn: Turn): string {
  return turn.kind === 'words' ? 'stop' : 'tool_calls';
}
