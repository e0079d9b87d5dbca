import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** Which direction is held: to the server, from the server, or both. */
export type Cut = 'requests' | 'answers' | 'both';

/**
 * One program's way to one server. While it is cut, what either side sends is held as the system of a sender holds it: it arrives after the cut, also
 * where the sender has closed the connection meanwhile, and is gone where the sender has reset it. Neither side is notified of the cut.
 */
export class Way implements AsyncDisposable {
  /** Pieces that were held in a cut. */
  held = 0;
  /** Connections that the program has closed or reset. */
  left = 0;
  readonly #target: number;
  readonly #server: Server;
  readonly #directions = new Set<Direction>();
  #cut: Cut | undefined;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (program) => this.#accept(program));
  }

  static async to(target: number): Promise<Way> {
    const way = new Way(target);
    await new Promise<void>((resolve) => way.#server.listen(0, '127.0.0.1', resolve));
    return way;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(which: Cut): void {
    this.#cut = which;
  }

  heal(): void {
    this.#cut = undefined;
    for (const direction of [...this.#directions]) direction.flush();
  }

  /** A preload under which a program that connects to the server goes this way. To be loaded after one that counts calls. */
  async preload(folder: string): Promise<string> {
    const file = join(folder, `way-${this.port}.cjs`);
    await writeFile(
      file,
      `const { Socket } = require('node:net');
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...args) {
  const [first] = args.flat();
  if (Number(first?.port) === ${this.#target}) first.port = ${this.port};
  return connect.apply(this, args);
};
`,
    );
    return file;
  }

  #accept(program: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    const isHeld = (by: Cut) => this.#cut === 'both' || this.#cut === by;
    const onHeld = () => {
      this.held++;
    };
    for (const event of ['end', 'error'])
      program.once(event, () => {
        this.left++;
      });
    for (const [from, to, by] of [
      [program, server, 'requests'],
      [server, program, 'answers'],
    ] as const) {
      from.setNoDelay(true);
      const direction = new Direction(from, to, () => isHeld(by), onHeld);
      this.#directions.add(direction);
      from.once('close', () => {
        if (!isHeld(by)) this.#directions.delete(direction);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const direction of this.#directions) direction.end();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Direction {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #pieces: (() => void)[] = [];

  constructor(from: Socket, to: Socket, isHeld: () => boolean, onHeld: () => void) {
    this.#from = from;
    this.#to = to;
    const pass = (piece: () => void) => {
      if (!isHeld() && this.#pieces.length === 0) return piece();
      onHeld();
      this.#pieces.push(piece);
    };
    from.on('data', (chunk) => pass(() => to.write(chunk)));
    from.on('end', () => pass(() => to.end()));
    from.on('error', () => {
      this.#pieces.length = 0;
      pass(() => to.resetAndDestroy());
    });
  }

  flush(): void {
    for (const piece of this.#pieces.splice(0)) piece();
  }

  end(): void {
    this.#from.destroy();
    this.#to.destroy();
  }
}
