// The live WebSocket: connects again by itself, and goes on in the alert feed where it was.

import { type Alert } from "./api";
import { decode, type Positions } from "./frames";

export interface Entry {
  id: number;
  change: string;
  alert: Alert;
}

export interface Registered {
  id: number[];
  code: string[];
  plate: string[];
  company: string[];
  company_name: string[];
  kind: string[];
  limit_kmh: (number | null)[];
}

/** How old what the server tells is, seconds; null: not known. */
export interface Age {
  feed_s: number;
  positions_s: number | null;
  /** Since when ingest has stored nothing; null: never, or in a sandbox. */
  ingest_s: number | null;
}

export interface Handlers {
  state(state: "connecting" | "live" | "lost"): void;
  vehicles(registered: Registered): void;
  positions(positions: Positions): void;
  entries(entries: Entry[]): void;
  age(age: Age): void;
  /** The feed was missed for too long: read the lists again. */
  resync(): void;
  /** The session has ended. */
  ended(): void;
}

const SHORTEST_MS = 500;
const LONGEST_MS = 10_000;
/** The server sends positions every second: without any for this long the connection is dead. */
const DEAD_MS = 15_000;
const POLICY_VIOLATION = 1008;

export class Live {
  private socket: WebSocket | null = null;
  private feed: number | null = null;
  private pauseMs = SHORTEST_MS;
  private timer = 0;
  private watchdog = 0;
  private stopped = false;

  constructor(private readonly handlers: Handlers) {}

  start(): void {
    this.stopped = false;
    this.connect();
    // A page that was asleep should not wait out its pause.
    addEventListener("online", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    removeEventListener("online", this.hurry);
    document.removeEventListener("visibilitychange", this.hurry);
    this.socket?.close();
    this.socket = null;
  }

  private readonly hurry = (): void => {
    if (this.socket !== null || document.hidden || this.stopped) return;
    clearTimeout(this.timer);
    this.connect();
  };

  private connect(): void {
    this.handlers.state("connecting");
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const after = this.feed === null ? "" : `?after=${this.feed}`;
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/live${after}`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message: MessageEvent<string | ArrayBuffer>) => this.take(message.data);
    socket.onclose = (event) => this.closed(socket, event.code);
    this.socket = socket;
    this.feedTheDog();
  }

  private closed(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return;
    this.socket = null;
    clearTimeout(this.watchdog);
    if (this.stopped) return;
    if (code === POLICY_VIOLATION) this.handlers.ended();
    this.handlers.state("lost");
    this.timer = setTimeout(() => this.connect(), this.pauseMs * (0.7 + 0.6 * Math.random()));
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_MS);
  }

  private feedTheDog(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      const socket = this.socket;
      if (socket === null) return;
      socket.close();
      this.closed(socket, 0);
    }, DEAD_MS);
  }

  private take(data: string | ArrayBuffer): void {
    this.feedTheDog();
    if (typeof data !== "string") {
      const positions = decode(data);
      if (positions !== null) this.handlers.positions(positions);
      return;
    }
    const message = JSON.parse(data) as { type: string; feed: number };
    if (message.type === "vehicles") {
      this.handlers.vehicles(message as unknown as Registered);
      return;
    }
    if (message.type === "age") {
      this.handlers.age(message as unknown as Age);
      return;
    }
    const first = this.feed === null;
    this.feed = message.feed;
    if (message.type === "alerts") {
      this.handlers.entries((message as unknown as { entries: Entry[] }).entries);
      return;
    }
    this.pauseMs = SHORTEST_MS;
    this.handlers.state("live");
    // What was raised before we listened is in the lists; so is what a long absence missed.
    if (first || message.type === "resync") this.handlers.resync();
  }
}
