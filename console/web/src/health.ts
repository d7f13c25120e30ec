// Whether what is on the screen is how it is: the bar, the map and the counts all go by this one word.

import { type Alerts } from "./alerts";
import { nowMs } from "./clock";
import { type Age } from "./live";
import { type Vehicles } from "./vehicles";
import { type Worklist } from "./worklist";

/**
 * lost: the stream has ended; old: the server itself cannot read what it tells; unheard: nothing comes from the vehicles;
 * unread: alerts cannot be read, and would be missing.
 */
export type State = "connecting" | "live" | "lost" | "old" | "unheard" | "unread";

/** What the server tells is read every second; older than this, it is not how things are. */
const OLD_S = 10;
/** Ingest stores something every 10 s, if only that it has looked. */
const UNHEARD_S = 180;

export class Health {
  state: State = "connecting";
  /** Since when it is not good. */
  sinceMs = nowMs();
  private stream: "connecting" | "live" | "lost" = "connecting";
  private age: Age = { feed_s: 0, positions_s: 0, ingest_s: null };
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly alerts: Alerts,
    private readonly worklist: Worklist,
    private readonly vehicles: Vehicles,
  ) {
    alerts.whenRead(() => this.look());
    worklist.whenChanged(() => this.look());
    vehicles.whenRegistered(() => this.look());
  }

  whenChanged(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get isGood(): boolean {
    return this.state === "live";
  }

  /** Whether vehicles are shown where they are now, and whether all alerts that go on are known. */
  get knowsVehicles(): boolean {
    return this.stream === "live" && this.vehicles.isKnown && !this.isOld;
  }

  get knowsAlerts(): boolean {
    return this.stream === "live" && this.alerts.isCurrent && !this.isOld && !this.isUnheard;
  }

  /** Up to when it is known how things are: what goes on is not longer than that. */
  asOfMs(): number {
    return this.knowsAlerts ? this.vehicles.now() : this.sinceMs;
  }

  /** Note how old what the stream tells is. */
  setAge(age: Age): void {
    this.age = age;
    this.look();
  }

  private get isOld(): boolean {
    return Math.max(this.age.feed_s, this.age.positions_s ?? 0) > OLD_S;
  }

  private get isUnheard(): boolean {
    return (this.age.ingest_s ?? 0) > UNHEARD_S;
  }

  /** Note how the stream is. Who connects again after a loss is lost until it is there. */
  setStream(state: "connecting" | "live" | "lost"): void {
    if (state === "connecting" && this.stream === "lost") return;
    this.stream = state;
    // Whoever connects anew is told anew.
    if (state !== "live") this.age = { feed_s: 0, positions_s: 0, ingest_s: null };
    this.look();
  }

  private look(): void {
    const state = this.found();
    if (state === this.state) return;
    if (this.isGood || this.state === "connecting") this.sinceMs = nowMs() - this.agedMs(state);
    this.state = state;
    for (const listener of this.listeners) listener();
  }

  /** Return how long it has been so already when it is noticed. */
  private agedMs(state: State): number {
    if (state === "old") return Math.max(this.age.feed_s, this.age.positions_s ?? 0) * 1000;
    return state === "unheard" ? (this.age.ingest_s ?? 0) * 1000 : 0;
  }

  private found(): State {
    if (this.stream !== "live") return this.stream;
    if (this.isOld) return "old";
    if (this.isUnheard) return "unheard";
    const replies = [this.alerts.reply, this.worklist.reply];
    if (replies.some((reply) => reply.is === "refused" || ("trouble" in reply && reply.trouble !== null))) return "unread";
    return this.knowsVehicles && this.knowsAlerts ? "live" : "connecting";
  }
}
