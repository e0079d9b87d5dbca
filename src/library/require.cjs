// The library for `require`. Newer Nodes load the ES modules of the package at once, and this gives what `import` would. Node 20.18 and 22.11 and older can
// only import them: there the functions are loaded with their first call, and the classes know the errors by their code.
'use strict';

if (process.features.require_module) {
  module.exports = require('./index.js');
} else {
  let loaded;
  let modules;
  const load = () =>
    (loaded ??= import('./index.js').then((all) => {
      modules = all;
      return all;
    }));

  /** A class for `instanceof`: the errors are made in the ES modules, by a class of this name or below one. */
  const errorClass = (name) => {
    const isOf = (error) =>
      error !== null && (error.constructor?.name === name || isOf(Object.getPrototypeOf(error)));
    const made = { [name]: () => {} };
    Object.defineProperty(made[name], Symbol.hasInstance, {
      value: (error) => error instanceof Error && isOf(error),
    });
    return made[name];
  };

  module.exports = {
    openLogin: async (...given) => (await load()).openLogin(...given),
    authorizedFetch: (...given) => {
      let made;
      return async (...request) => {
        made ??= load().then(({ authorizedFetch }) => authorizedFetch(...given));
        return (await made)(...request);
      };
    },
    authorizedTransport: (...given) => {
      let made;
      const transport = {
        start: async () => {
          made = (await load()).authorizedTransport(...given);
          for (const name of ['onclose', 'onerror', 'onmessage']) {
            made[name] = (...told) => transport[name]?.(...told);
          }
          await made.start();
        },
        send: (...message) => made.send(...message),
        close: async () => made?.close(),
        setProtocolVersion: (version) => made?.setProtocolVersion(version),
        get sessionId() {
          return made?.sessionId;
        },
      };
      return transport;
    },
    fileStore: (folder) => {
      let made;
      const store = async () => (made ??= (await load()).fileStore(folder));
      return {
        read: async (...given) => (await store()).read(...given),
        write: async (...given) => (await store()).write(...given),
      };
    },
    // The tables are with the rest: an error of the library can only be there once that is loaded.
    errorKind: (error) => modules?.errorKind(error),
    toSdkError: (error, sdk) => (modules === undefined ? error : modules.toSdkError(error, sdk)),
    DrawbridgeError: errorClass('DrawbridgeError'),
    SignInNeededError: errorClass('SignInNeededError'),
    NotReplayableError: errorClass('NotReplayableError'),
    OtherOriginError: errorClass('OtherOriginError'),
  };
}
