import { object, objects, type Turn, type Wire } from './wire.ts';

const USAGE = { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20 };

/** Gemini's `models/NAME:streamGenerateContent?alt=sse` and `:generateContent`. */
export const gemini: Wire = {
  read: (body, path) => {
    const declared = objects(object(body).tools).flatMap((tool) => objects(tool.functionDeclarations));
    return {
      tools: declared.map(({ name }) => ({ name: String(name) })),
      stream: path.endsWith(':streamGenerateContent'),
      text: JSON.stringify(body),
    };
  },
  stream: (turn, model) => [{ data: answer(turn, model) }],
  whole: answer,
};

function answer(turn: Turn, model: string): object {
  const part =
    turn.kind === 'words'
      ? { text: turn.words }
      : { functionCall: { id: turn.id, name: turn.tool.name, args: turn.input } };
  const candidates = [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }];
  return { candidates, usageMetadata: USAGE, modelVersion: model };
}
