import type { Plugin } from 'rolldown';

/**
 * Parts of iovalkey that are never used here, and their replacements in the bundle. Its debug output would be more than unused: with `DEBUG=*` in the
 * environment it prints each command, and with it the password, past the redactor.
 */
const UNUSED: readonly (readonly [file: string, text: string])[] = [
  [
    'iovalkey/built/utils/debug.js',
    'const off = () => {}; off.enabled = false; exports.default = () => off;',
  ],
  ['iovalkey/built/cluster/index.js', 'exports.default = class Cluster {};'],
  [
    'iovalkey/built/connectors/SentinelConnector/index.js',
    'exports.default = class SentinelConnector {}; exports.SentinelIterator = undefined;',
  ],
  ['iovalkey/built/autoPipelining.js', 'exports.shouldUseAutoPipelining = () => false;'],
  ['iovalkey/built/transaction.js', 'exports.addTransactionSupport = () => {};'],
  ['iovalkey/built/Pipeline.js', 'exports.default = class Pipeline {};'],
  ['iovalkey/built/Script.js', 'exports.default = class Script {};'],
  ['iovalkey/built/ScanStream.js', 'exports.default = class ScanStream {};'],
];

/** One method for each command: they are sent by `call`. */
const COMMANDS = '@iovalkey/commands/dist/commands.json';

/** Leaves them out. */
export const slimClient: Plugin = {
  name: 'slim-client',
  load(id) {
    const [, file] = /\/node_modules\/(.*)$/.exec(id) ?? [];
    if (file === COMMANDS) return '{}';
    const found = UNUSED.find(([unused]) => unused === file);
    if (found === undefined) return null;
    return `"use strict"; Object.defineProperty(exports, "__esModule", { value: true }); ${found[1]}`;
  },
};
