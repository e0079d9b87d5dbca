import { describe, expect, it } from 'vitest';
import { readEvents, type ServerEvent } from '../../../../src/remote/events/event-stream.ts';

const stream =
  ': hello\r\nid: 1\r\nevent: message\r\ndata: {"text":"é😀"}\r\n\r\nretry: 1500\ndata: a\ndata: b\n\nid: 2\ndata:\n\ndata: last\n\ndata: cut off';
const expected: [string | undefined, string][] = [
  ['1', '{"text":"é😀"}'],
  [undefined, 'a\nb'],
  ['2', ''],
  [undefined, 'last'],
];

async function read(chunks: Iterable<Uint8Array>, maxMessageBytes = 1000) {
  const events: ServerEvent[] = [];
  const retries: number[] = [];
  async function* body() {
    yield* chunks;
  }
  for await (const batch of readEvents(body(), { maxMessageBytes, onRetry: (ms) => retries.push(ms) }))
    events.push(...batch);
  return {
    events: events.map(({ id, data }): [string | undefined, string | Uint8Array] => [id, data]),
    retries,
  };
}

describe('readEvents', () => {
  const bytes = Buffer.from(stream);

  it('gives the same events wherever the stream is split', async () => {
    for (let at = 0; at <= bytes.length; at++) {
      const found = await read([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(found, `cut at ${at}`).toEqual({ events: expected, retries: [1500] });
    }
  });

  it('completes an event at lines that end with CR alone, before anything follows', async () => {
    const returns = Buffer.from('id: 1\rdata: a\r\rdata: b\r\r');
    for (let at = 0; at <= returns.length; at++) {
      const found = await read([returns.subarray(0, at), returns.subarray(at)]);
      expect(found.events, `cut at ${at}`).toEqual([
        ['1', 'a'],
        [undefined, 'b'],
      ]);
    }
  });

  it('gives the same events byte by byte', async () => {
    expect((await read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).events).toEqual(expected);
  });

  it('makes no event of one that the end of the stream cut off', async () => {
    const whole = Buffer.from('data: {"a":1}\n\n');
    for (let end = 0; end < whole.length; end++) {
      expect((await read([whole.subarray(0, end)])).events, `ended at ${end}`).toEqual([]);
    }
  });

  it.each([1, 100, 5000])('refuses a message over the limit in chunks of %i bytes', async (size) => {
    const long = Buffer.from(`data: ok\n\ndata: ${'x'.repeat(2000)}\n\n`);
    const pieces = Array.from({ length: Math.ceil(long.length / size) }, (_, index) =>
      long.subarray(index * size, (index + 1) * size),
    );
    await expect(read(pieces)).rejects.toMatchObject({ code: 'too_large' });
  });

  describe('a long line', () => {
    const long = `{"text":"${'é😀x'.repeat(20_000)}"}`;
    const cut = (text: string, size: number) => {
      const whole = Buffer.from(text);
      return Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.subarray(index * size, (index + 1) * size),
      );
    };
    const asText = (data: unknown) =>
      typeof data === 'string' ? data : Buffer.from(data as Uint8Array).toString();
    const texts = async (stream: string, size: number) => {
      const { events } = await read(cut(stream, size), 1_000_000);
      return events.map(([id, data]) => [id, asText(data)]);
    };

    it.each([7, 1_000, 65_536, 300_000])(
      'is returned unchanged, as bytes, in chunks of %i bytes',
      async (size) => {
        const stream = `id: 1\ndata: ${long}\n\ndata:${long}\r\n\r\ndata: after\n\n`;
        expect(await texts(stream, size)).toEqual([
          ['1', long],
          [undefined, long],
          [undefined, 'after'],
        ]);
      },
    );

    it('is not decoded if it is the whole of an event', async () => {
      const { events } = await read(cut(`data: ${long}\n\n`, 65_536), 1_000_000);
      expect(events[0]?.[1]).toBeInstanceOf(Uint8Array);
    });

    it('is joined with the other lines of its event', async () => {
      const stream = `data: a\ndata: ${long}\ndata: ${long}\ndata: z\n\ndata: next\n\n`;
      expect(await texts(stream, 65_536)).toEqual([
        [undefined, `a\n${long}\n${long}\nz`],
        [undefined, 'next'],
      ]);
    });

    it('that is not data is ignored', async () => {
      const stream = `: ${long}\nevent: ${long}\nother: ${long}\ndata: a\n\n`;
      expect(await texts(stream, 65_536)).toEqual([[undefined, 'a']]);
    });

    it('is refused over the limit, alone and with other lines, before its end', async () => {
      const endless = [Buffer.from('data: '), ...cut('x'.repeat(300_000), 65_536)];
      await expect(read(endless, 200_000)).rejects.toThrow('more than 200000 bytes');
      const lines = `data: ${'x'.repeat(150_000)}\n`.repeat(2);
      await expect(read(cut(lines, 65_536), 200_000)).rejects.toThrow('more than 200000 bytes');
      expect((await read(cut(`data: ${'x'.repeat(200_000)}\n\n`, 65_536), 200_000)).events).toHaveLength(1);
    });
  });
});
