import { type OfferedTool, object, objects, type Turn, type Wire } from './wire.ts';

const USAGE = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 20,
};

/** OpenAI's Responses API, `POST /v1/responses`. */
export const openaiResponses: Wire = {
  read: (body) => {
    const { tools, stream } = object(body);
    return { tools: objects(tools).flatMap(offered), stream: stream === true, text: JSON.stringify(body) };
  },
  stream: (turn, model) => {
    const done = item(turn);
    return [
      { type: 'response.created', response: response(model, 'in_progress', []) },
      { type: 'response.output_item.added', output_index: 0, item: { ...done, status: 'in_progress' } },
      { type: 'response.output_item.done', output_index: 0, item: done },
      { type: 'response.completed', response: response(model, 'completed', [done]) },
    ].map((event, sequence_number) => ({ name: event.type, data: { ...event, sequence_number } }));
  },
  whole: (turn, model) => response(model, 'completed', [item(turn)]),
};

function offered(tool: Readonly<Record<string, unknown>>): OfferedTool[] {
  const name = String(tool.name ?? tool.type);
  if (tool.type !== 'namespace') return [{ name, isText: tool.type === 'custom' }];
  return objects(tool.tools).map((inner) => ({ name: String(inner.name), namespace: name }));
}

function response(model: string, status: string, output: readonly object[]): object {
  const created_at = Math.floor(Date.now() / 1000);
  return { id: 'resp_1', object: 'response', created_at, model, status, output, usage: USAGE };
}

function item(turn: Turn): object {
  if (turn.kind === 'words') {
    const content = [{ type: 'output_text', text: turn.words, annotations: [] }];
    return { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content };
  }
  const { id, tool, input } = turn;
  const { name, namespace } = tool;
  const named = { id: `item_${id}`, call_id: id, name, ...(namespace === undefined ? {} : { namespace }) };
  return tool.isText
    ? { type: 'custom_tool_call', ...named, status: 'completed', input: String(object(input).input) }
    : { type: 'function_call', ...named, status: 'completed', arguments: JSON.stringify(input) };
}
