import type { Leases } from './lease.ts';

/** The leases that `load` gives when they are first needed: few processes sign anybody in. A failed load is tried again with the next call. */
export function laterLeases(load: () => Promise<Required<Leases>>): Leases {
  let loading: Promise<Required<Leases>> | undefined;
  const leases = () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  return {
    create: async (...asked) => (await leases()).create(...asked),
    adopt: async (...asked) => (await leases()).adopt(...asked),
    heartbeat: async (...asked) => (await leases()).heartbeat(...asked),
    release: async (...asked) => (await leases()).release(...asked),
    holder: async (...asked) => (await leases()).holder(...asked),
    readStatus: async (...asked) => (await leases()).readStatus(...asked),
    take: async (...asked) => (await leases()).take(...asked),
    writeStatus: async (...asked) => (await leases()).writeStatus(...asked),
    changed: async (...asked) => (await leases()).changed(...asked),
  };
}
