import type { Plugin } from 'rolldown';

/**
 * What the two parts of iovalkey that are used (`src/store/redis/wire.ts`) import and never call, and its replacement in the bundle: whoever starts with a shared
 * store loads the rest. Its debug output would be more than unused: with `DEBUG=*` in the environment it prints each command, and with it the password, past
 * the redactor.
 */
const UNUSED: readonly (readonly [file: string, text: string])[] = [
  [
    'iovalkey/built/utils/index.js',
    "exports.Debug = () => () => {}; exports.toArg = (arg) => (arg == null ? '' : String(arg));",
  ],
  // One method for each command, and which of a command's words are keys: they are sent as they are, without a prefix.
  ['@iovalkey/commands/dist/index.js', 'exports.list = []; exports.exists = () => false;'],
  ['cluster-key-slot/lib/index.js', ''],
  // Replies go to promises.
  ['standard-as-callback/built/index.js', 'exports.default = (promise) => promise;'],
  // The other half is for Node before 7.
  ['redis-errors/index.js', 'module.exports = require("./lib/modern");'],
];

/** Leaves them out. */
export const slimClient: Plugin = {
  name: 'slim-client',
  load: {
    filter: { id: /\/node_modules\/(@?iovalkey|cluster-key-slot|redis-errors|standard-as-callback)\// },
    handler(id) {
      const [, file] = /\/node_modules\/(.*)$/.exec(id) ?? [];
      const found = UNUSED.find(([unused]) => unused === file);
      if (found === undefined) return null;
      return `"use strict"; Object.defineProperty(exports, "__esModule", { value: true }); ${found[1]}`;
    },
  },
};
