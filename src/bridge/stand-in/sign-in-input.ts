import { isObject, type JsonObject } from '../../protocol/json/json-object.ts';
import { rawChild, rawMembers, rawObject } from '../../protocol/json/raw-json.ts';
import { textOf } from '../../protocol/jsonrpc.ts';
import { eraOfRequest, INPUT_CALLS, META, metaOf } from '../../protocol/revisions.ts';
import { showsAddresses } from './stand-in.ts';

/** The key of the bridge's question among `inputRequests`. */
const INPUT_KEY = 'mcp-drawbridge/sign-in';

/**
 * Whether such a request may be answered with a request to open an address: its host uses a revision without a handshake, declares URL elicitation ("the server
 * MUST NOT include any elicitation/create requests" otherwise), and the request contains no input of an earlier round. A server's `requestState` would be lost,
 * and the bridge asks once for each call.
 */
export function mayAskForSignIn(method: string, params: unknown): boolean {
  if (!INPUT_CALLS.includes(method) || !isObject(params) || eraOfRequest(params) !== 'modern') return false;
  if (params.inputResponses !== undefined || params.requestState !== undefined) return false;
  return showsAddresses(metaOf(params)[META.clientCapabilities]);
}

/** The result that asks the host to show the address (specification 2026-07-28, Elicitation → URL mode, where it has no id). */
export function signInInput(address: string, message: string): JsonObject {
  const asked = { method: 'elicitation/create', params: { mode: 'url', url: address, message } };
  return { resultType: 'input_required', inputRequests: { [INPUT_KEY]: asked } };
}

/** The request without the answer to the bridge's question, which the server did not ask. Otherwise the bytes are unchanged. */
export function withoutSignInInput(bytes: Uint8Array | string, params: unknown): Uint8Array | string {
  if (!isObject(params) || !isObject(params.inputResponses)) return bytes;
  if (!Object.hasOwn(params.inputResponses, INPUT_KEY)) return bytes;
  const request = rawMembers(textOf(bytes));
  const rest = rawChild(request, 'params');
  const responses = rawChild(rest, 'inputResponses');
  responses.delete(INPUT_KEY);
  if (responses.size > 0) rest.set('inputResponses', rawObject(responses));
  else rest.delete('inputResponses');
  return rawObject(request.set('params', rawObject(rest)));
}
