// Whether what is on the screen is how it is: the bar, the map and the counts all go by this one word.

import { type Alerts } from "./alerts";
import { nowMs } from "./clock";
import { type Vehicles } from "./vehicles";
import { type Worklist } from "./worklist";

/** lost: the stream has ended; unread: alerts cannot be read, and would be missing. */
export type State = "connecting" | "live" | "lost" | "unread";

export class Health {
  state: State = "connecting";
  /** Since when it is not good. */
  sinceMs = nowMs();
  private stream: "connecting" | "live" | "lost" = "connecting";
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
    return this.stream === "live" && this.vehicles.isKnown;
  }

  get knowsAlerts(): boolean {
    return this.stream === "live" && this.alerts.isCurrent;
  }

  /** Note how the stream is. Who connects again after a loss is lost until it is there. */
  setStream(state: "connecting" | "live" | "lost"): void {
    if (state === "connecting" && this.stream === "lost") return;
    this.stream = state;
    this.look();
  }

  private look(): void {
    const state = this.found();
    if (state === this.state) return;
    if (this.isGood || this.state === "connecting") this.sinceMs = nowMs();
    this.state = state;
    for (const listener of this.listeners) listener();
  }

  private found(): State {
    if (this.stream !== "live") return this.stream;
    const replies = [this.alerts.reply, this.worklist.reply];
    if (replies.some((reply) => reply.is === "refused" || ("trouble" in reply && reply.trouble !== null))) return "unread";
    return this.knowsVehicles && this.knowsAlerts ? "live" : "connecting";
  }
}
