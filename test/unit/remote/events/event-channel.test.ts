import { describe, expect, it } from 'vitest';
import { EventChannel } from '../../../../src/remote/events/event-channel.ts';

const event = (data: string) => ({ id: undefined, event: undefined, data });

async function next(iterator: AsyncIterator<readonly { data: string | Uint8Array }[]>) {
  const step = await iterator.next();
  return step.done ? undefined : step.value.map(({ data }) => data).join();
}

/** What has happened by the time that all promises at hand have been dealt with. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('EventChannel', () => {
  it('counts an event as consumed when its reader requests the next', async () => {
    const channel = new EventChannel();
    const reader = channel.read()[Symbol.asyncIterator]();
    let taken = false;
    void channel.put(event('a')).then(() => {
      taken = true;
    });
    expect(await next(reader)).toBe('a');
    await settled();
    expect(taken).toBe(false);
    const more = next(reader);
    await settled();
    expect(taken).toBe(true);
    void channel.put(event('b'));
    expect(await more).toBe('b');
  });

  it('keeps events until a reader comes', async () => {
    const channel = new EventChannel();
    void channel.put(event('a'));
    expect(await next(channel.read()[Symbol.asyncIterator]())).toBe('a');
  });

  it('ends the previous reader, and gives the next one new events', async () => {
    const channel = new EventChannel();
    const before = channel.read()[Symbol.asyncIterator]();
    const waiting = next(before);
    const after = channel.read()[Symbol.asyncIterator]();
    expect(await waiting).toBeUndefined();
    void channel.put(event('a'));
    expect(await next(after)).toBe('a');
    expect(await next(before)).toBeUndefined();
  });

  it('loses nothing when a reader leaves', async () => {
    const channel = new EventChannel();
    void channel.put(event('a'));
    for await (const events of channel.read()) {
      expect(events[0]?.data).toBe('a');
      break;
    }
    void channel.put(event('b'));
    expect(await next(channel.read()[Symbol.asyncIterator]())).toBe('b');
  });

  it('reports a failure to its reader, and does not block writers', async () => {
    const channel = new EventChannel();
    const waiting = next(channel.read()[Symbol.asyncIterator]());
    channel.close(new Error('broke'));
    await expect(waiting).rejects.toThrow('broke');
    await channel.put(event('late'));
    await channel.arrived;
  });

  it('releases a blocked writer when it closes', async () => {
    const channel = new EventChannel();
    const put = channel.put(event('a'));
    channel.close();
    await put;
    expect(await next(channel.read()[Symbol.asyncIterator]())).toBeUndefined();
  });
});
