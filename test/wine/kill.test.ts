import { join } from 'node:path';
import { expect, it } from 'vitest';
import { KillPlans } from '../peers/faults/kill-plan.ts';
import { STEPS } from '../peers/faults/refresh-steps.ts';
import { LoginWorld } from './login-world.ts';
import { windowsPath } from './wine.ts';

it('terminated at each step of a refresh: the next one is served, one prompt in the residue only', async () => {
  await using world = await LoginWorld.create();
  (await world.served()).kill();
  const plans = await KillPlans.create(world.wine.temporary);
  const folder = windowsPath(join(world.wine.state, 'credentials'));
  const ports = [Number(new URL(world.authority.issuer).port)];
  for (const step of STEPS) {
    const { family } = await world.record();
    world.authority.tokens.revokeAll();
    const plan = await plans.add({ role: 'bridge', folder, ports, at: 1, step });
    const victim = world.start([], {}, ['--require', windowsPath(plan.preload)]);
    // The handshake already meets the revoked token.
    const clientInfo = { name: 'host', version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    victim.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    await victim.exited;
    const { killed } = await plan.said();
    expect(killed?.step, step).toBe(step);
    const next = await world.served();
    next.kill();
    expect((await world.record()).family !== family, step).toBe(killed?.isResidue);
  }
  expect((await world.wine.credentials()).filter((name) => name.includes('.corrupt-'))).toEqual([]);
});
