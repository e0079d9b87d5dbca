import type { Plugin } from 'rolldown';

/** The beginning of a CommonJS module as the bundler wraps it. */
const WRAPPER = /\b__commonJSMin\(\((\(\w+(?:,\w+)*\)|\w+)=>\{/g;

/**
 * CommonJS modules as functions in parentheses instead of arrow functions. Nearly all of them run at the start, and that way Node 20 compiles them as it reads
 * the file; an arrow function it reads once to skip it, and once more when it is called. Figures: test/bench/main.ts.
 */
export const eagerModules: Plugin = {
  name: 'eager-modules',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replace(
        WRAPPER,
        (_all, names: string) => `__commonJSMin((function(${names.replace(/[()]/g, '')}){`,
      );
    }
  },
};
