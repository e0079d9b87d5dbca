import * as z from 'zod/mini';

/** A field that does without: a value of the wrong type is as good as absent. Only where nothing depends on the field being there. */
export const lenient = <T extends z.core.SomeType>(schema: T) => z.catch(z.optional(schema), undefined);
