import { type ContentErrors, decodedBody, readWhole } from '../../platform/content/content.ts';
import type { HttpResponse } from '../../platform/http/http.ts';
import { quote } from '../../protocol/quote.ts';
import { BadAnswerError, TooLargeError } from '../errors/oauth-errors.ts';

const errors: ContentErrors = {
  badAnswer: (message, details) => new BadAnswerError(message, details),
  unknownCoding: (coding) =>
    new BadAnswerError(`the answer has the content encoding ${quote(coding)}, which was not requested`),
  tooLarge: (limitBytes) => new TooLargeError(`the answer is larger than ${limitBytes / 1024} KiB`),
};

/** The body as text; rejected beyond `maxBytes` of its decoded form: 204 KB of gzip can hold 200 MB (.github/SECURITY.md, attack 15). */
export async function readText(response: HttpResponse, maxBytes: number): Promise<string> {
  const body = await decodedBody(response, errors);
  try {
    return new TextDecoder().decode(await readWhole(response, body, maxBytes, errors));
  } catch (error) {
    response.discard();
    throw error;
  }
}
