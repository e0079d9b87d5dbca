import { anySignal, type StopSignal } from '../../platform/stop.ts';
import { isObject } from '../../protocol/json/json-object.ts';
import { type MessageId, notification, textOf } from '../../protocol/jsonrpc.ts';
import { IdMap } from '../../protocol/message-id.ts';
import type { MessageOptions } from '../../remote/http/message-options.ts';
import type { Reply } from '../../remote/transport/transport.ts';
import { Channel } from '../message/channel.ts';
import { type Events, eventOf, eventsReply, type Received, received } from '../message/reply.ts';
import type { LegacySession } from './legacy-session.ts';
import { subscribed } from './translate.ts';

interface Listener {
  readonly id: MessageId;
  readonly kinds: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly channel: Channel;
  readonly stop: AbortController;
}

/** For each filter field, the capability that it needs and the notification that it subscribes to (specification 2026-07-28, Subscriptions). */
const CHANGES = {
  toolsListChanged: { capability: 'tools', method: 'notifications/tools/list_changed' },
  promptsListChanged: { capability: 'prompts', method: 'notifications/prompts/list_changed' },
  resourcesListChanged: { capability: 'resources', method: 'notifications/resources/list_changed' },
} as const;
const UPDATED = 'notifications/resources/updated';

/** Serves the `subscriptions/listen` requests of a modern host from the unsolicited notifications of a legacy server. */
export class SubscriptionListeners {
  readonly #session: LegacySession;
  readonly #listeners = new IdMap<Listener>();

  constructor(session: LegacySession) {
    this.#session = session;
  }

  /** Whether notifications of this method go to listeners, whichever stream they arrive on. */
  takes(method: string): boolean {
    return method === UPDATED || Object.values(CHANGES).some((change) => change.method === method);
  }

  /** Adds a listener. Resolves after the resources have been subscribed to, so that the acknowledgement is true when it is sent. */
  async add(id: MessageId, params: unknown, options: MessageOptions): Promise<Reply> {
    const filter = isObject(params) && isObject(params.notifications) ? params.notifications : {};
    const kinds = new Set<string>();
    const agreed: Record<string, unknown> = {};
    for (const [field, { capability, method }] of Object.entries(CHANGES)) {
      if (filter[field] !== true || this.#session.capability(capability)?.listChanged !== true) continue;
      kinds.add(method);
      agreed[field] = true;
    }
    const resources = new Set<string>();
    const wanted = Array.isArray(filter.resourceSubscriptions) ? filter.resourceSubscriptions : [];
    if (this.#session.capability('resources')?.subscribe === true) {
      for (const uri of wanted) {
        if (typeof uri === 'string' && (await this.#subscribe(uri, options))) resources.add(uri);
      }
    }
    if (resources.size > 0) agreed.resourceSubscriptions = [...resources];
    const stop = new AbortController();
    const listener: Listener = { id, kinds, resources, channel: new Channel(), stop };
    this.#listeners.set(id, listener);
    options.progress?.sending();
    options.progress?.sent();
    const acknowledged = notification('notifications/subscriptions/acknowledged', { notifications: agreed });
    void listener.channel.push(subscribed(acknowledged, id));
    return eventsReply(this.#read(listener, anySignal([stop.signal, options.signal])));
  }

  /** Ends the subscription opened by this request; false if there is none. */
  cancel(id: MessageId): boolean {
    const listener = this.#listeners.find(id);
    listener?.stop.abort();
    return listener !== undefined;
  }

  /** Passes a notification to every listener that subscribed to it. */
  async deliver({ text, envelope }: Received): Promise<void> {
    if (envelope.kind !== 'notification') return;
    const { params } = envelope.message;
    for (const { id, kinds, resources, channel } of this.#listeners.values()) {
      const uri = envelope.method === UPDATED && isObject(params) ? params.uri : undefined;
      const wants = typeof uri === 'string' ? resources.has(uri) : kinds.has(envelope.method);
      if (wants) await channel.push(subscribed(text, id));
    }
  }

  /** Subscribes again to all resources in a new session. What changed in between is unknown, so everything is announced as changed. */
  async restore(options: MessageOptions): Promise<void> {
    const uris = new Set(this.#listeners.values().flatMap(({ resources }) => [...resources]));
    for (const uri of uris) {
      await this.#session.tryAsk('resources/subscribe', { uri }, options);
      await this.#announce(notification(UPDATED, { uri }));
    }
    for (const { method } of Object.values(CHANGES)) await this.#announce(notification(method));
  }

  async #announce(text: string): Promise<void> {
    for (const message of received(text)) await this.deliver(message);
  }

  async *#read(listener: Listener, signal: StopSignal): Events & AsyncGenerator {
    try {
      for await (const events of listener.channel.read(signal))
        yield events.map(({ data }) => eventOf(textOf(data)));
    } finally {
      this.#listeners.delete(listener.id);
      for (const uri of listener.resources) if (!this.#isWanted(uri)) await this.#unsubscribe(uri);
    }
  }

  #isWanted(uri: string): boolean {
    return this.#listeners.values().some(({ resources }) => resources.has(uri));
  }

  async #subscribe(uri: string, options: MessageOptions): Promise<boolean> {
    if (this.#isWanted(uri)) return true;
    return !(await this.#session.ask('resources/subscribe', { uri }, options)).failed;
  }

  /** The host's subscription has ended already, so nobody needs the server's answer. */
  async #unsubscribe(uri: string): Promise<void> {
    await this.#session.askQuietly('resources/unsubscribe', { uri });
  }
}
