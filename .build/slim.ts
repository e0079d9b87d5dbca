import type { Plugin } from 'rolldown';

/**
 * Parts of iovalkey that are never used here, and their replacements in the bundle: whoever starts with a shared store loads the rest. Its debug output would
 * be more than unused: with `DEBUG=*` in the environment it prints each command, and with it the password, past the redactor.
 */
const UNUSED: readonly (readonly [file: string, text: string])[] = [
  ['iovalkey/built/index.js', 'exports.Redis = require("./Redis").default;'],
  [
    'iovalkey/built/utils/debug.js',
    'const off = () => {}; off.enabled = false; exports.default = () => off;',
  ],
  ['iovalkey/built/cluster/index.js', 'exports.default = class Cluster {};'],
  // The connection is made by this program.
  ['iovalkey/built/connectors/index.js', 'exports.StandaloneConnector = class StandaloneConnector {};'],
  [
    'iovalkey/built/connectors/SentinelConnector/index.js',
    'exports.default = class SentinelConnector {}; exports.SentinelIterator = undefined;',
  ],
  ['iovalkey/built/autoPipelining.js', 'exports.shouldUseAutoPipelining = () => false;'],
  ['iovalkey/built/transaction.js', 'exports.addTransactionSupport = () => {};'],
  ['iovalkey/built/Script.js', 'exports.default = class Script {};'],
  ['iovalkey/built/ScanStream.js', 'exports.default = class ScanStream {};'],
  // One method for each command, and which of a command's words are keys: they are sent by `call`, without a prefix.
  ['@iovalkey/commands/dist/index.js', 'exports.list = []; exports.exists = () => false;'],
  ['cluster-key-slot/lib/index.js', ''],
  // Lodash's also knows the arguments of functions, and objects of other realms.
  [
    'iovalkey/built/utils/lodash.js',
    `exports.noop = () => {};
exports.defaults = (to, ...from) => {
  for (const each of from) for (const name in each) if (to[name] === undefined) to[name] = each[name];
  return to;
};`,
  ],
  // The other half is for Node before 7.
  ['redis-errors/index.js', 'module.exports = require("./lib/modern");'],
];

/** Leaves them out. */
export const slimClient: Plugin = {
  name: 'slim-client',
  load: {
    filter: { id: /\/node_modules\/(@?iovalkey|cluster-key-slot|redis-errors)\// },
    handler(id) {
      const [, file] = /\/node_modules\/(.*)$/.exec(id) ?? [];
      const found = UNUSED.find(([unused]) => unused === file);
      if (found === undefined) return null;
      return `"use strict"; Object.defineProperty(exports, "__esModule", { value: true }); ${found[1]}`;
    },
  },
};
