import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** Three words or more: a sentence, which no protocol gives a meaning. */
const SENTENCE = /\p{L}\S* \S+ \S*\p{L}/u;

/** Leaves out mutants that only change a sentence for people. Plain JavaScript: the test runner's process loads it too. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'texts', {
    shouldIgnore({ node }) {
      const text =
        node.type === 'StringLiteral'
          ? node.value
          : node.type === 'TemplateLiteral'
            ? node.quasis.map((quasi) => quasi.value.cooked ?? '').join('x')
            : '';
      return SENTENCE.test(text) ? 'a sentence for people' : undefined;
    },
  }),
];
