import { MemoryServer } from '../../../peers/store/memory-engine.ts';
import { engineContract } from './engine-contract.ts';

engineContract('the engine of the tests', async () => {
  const server = new MemoryServer(() => Date.now());
  return {
    connect: async () => server.connect(),
    restart: async () => server.failOver(),
    stop: async () => {
      server.isUp = false;
    },
    [Symbol.asyncDispose]: async () => {},
  };
});
