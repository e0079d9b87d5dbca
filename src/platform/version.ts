/** Set by the bundler to the package's version. */
declare const DRAWBRIDGE_VERSION: string | undefined;

/** The version of this program. */
export const version: string = typeof DRAWBRIDGE_VERSION === 'string' ? DRAWBRIDGE_VERSION : '0.0.0-unbuilt';
