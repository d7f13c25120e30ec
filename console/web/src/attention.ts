// Critical alerts that this desk has not looked at yet: whatever page is open, they are told of.

import { type Alerts, type Known } from "./alerts";

const CRITICAL = 4;

/** Nobody looks after it yet, and somebody still could. */
const isWaiting = (alert: Known): boolean =>
  alert.severity >= CRITICAL && alert.state === "open" && alert.status !== "withdrawn" && !alert.late;

export class Attention {
  private readonly waiting = new Map<string, Known>();
  private readonly seen = new Set<string>();
  private hasBegun = false;
  private readonly listeners = new Set<(added: Known[]) => void>();

  constructor(private readonly alerts: Alerts) {
    alerts.whenChanged((changed, fresh) => this.take(changed, new Set(fresh)));
    alerts.whenRead(() => this.read());
  }

  /** Call a listener with what has become critical just now; with nothing when others have gone. */
  whenChanged(listener: (added: Known[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Return what waits, newest first. */
  list(): Known[] {
    return [...this.waiting.values()].sort((a, b) => b.startedMs - a.startedMs);
  }

  /** This desk has looked at it. */
  look(id: string): void {
    this.seen.add(id);
    if (this.waiting.delete(id)) this.tell([]);
  }

  private take(changed: Known[], fresh: Set<Known>): void {
    const added = changed.filter((alert) => this.put(alert, fresh.has(alert)));
    this.tell(added.filter((alert) => this.waiting.has(alert.alert_id)));
  }

  /** What goes on when the page is opened is shown and not announced; what an absence missed is. */
  private read(): void {
    if (!this.alerts.isCurrent) return;
    const added = [...this.alerts.goingOn()].filter((alert) => this.put(alert, false));
    this.tell(this.hasBegun ? added : []);
    this.hasBegun = true;
  }

  /** Keep or drop an alert; return whether it is new here. What is over and old is for the queue. */
  private put(alert: Known, isFresh: boolean): boolean {
    const was = this.waiting.has(alert.alert_id);
    if (!isWaiting(alert) || this.seen.has(alert.alert_id)) this.waiting.delete(alert.alert_id);
    else if (was || isFresh || alert.ended_at === null) this.waiting.set(alert.alert_id, alert);
    return !was && this.waiting.has(alert.alert_id);
  }

  private tell(added: Known[]): void {
    for (const listener of this.listeners) listener(added);
  }
}
