#!/usr/bin/env node
// Parses on Node 12 (no optional chaining, no `??`): an old Node must get as far as saying that it is too old.
'use strict';

const needed = [20, 18, 1];

/**
 * A heap that stays small. On Node 20 a third of the start's processor time and some megabytes go into optimizing undici's HTTP parser
 * (WebAssembly) before it is used, unless told otherwise. By major version, each tried: V8 complains on stderr of a flag that it does not
 * know. Figures: test/bench/main.ts.
 */
const small = ['--heap-growing-percent=20'];
const flags = { 20: ['--liftoff-only', ...small], 22: small, 24: small };

/** What a shared store needs beside `main.js`. The build fills in the names. */
const storeFiles = [];

/** Whether the program is told to use one. If a file of settings says so, they are loaded when they are needed. */
function namesStore() {
  const { argv, env } = process;
  return (
    env.MCP_DRAWBRIDGE_STORE_FILE !== undefined ||
    [env.MCP_DRAWBRIDGE_STORE]
      .concat(argv)
      .some((word) => /^(--store-file|(--store=)?(redis|valkey)[a-z+]*:\/\/)/i.test(word))
  );
}

function isOlder(found) {
  for (let at = 0; at < needed.length; at++) {
    if (found[at] !== needed[at]) return found[at] < needed[at];
  }
  return false;
}

if (isOlder(process.versions.node.split('.').map(Number))) {
  process.stderr.write(
    `mcp-drawbridge: Node ${needed.join('.')} or newer is needed, this is Node ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 1;
} else {
  const { setFlagsFromString } = require('node:v8');
  for (const flag of flags[process.versions.node.split('.')[0]] || []) setFlagsFromString(flag);
  const main = import('./main.js');
  // They are read at the same time as the main one. If one is missing, whoever needs it says so.
  if (namesStore()) for (const file of storeFiles) import(`./${file}`).catch(() => {});
  main
    .then(({ main }) => main())
    .catch((error) => {
      process.stderr.write(`mcp-drawbridge: ${error.stack}\n`);
      process.exitCode = 1;
    });
}
