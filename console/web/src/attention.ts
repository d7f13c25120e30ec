// Critical alerts that this desk has not looked at yet: whatever page is open, they are told of.

import { type Alerts, type Known } from "./alerts";

const CRITICAL = 4;

/** Nobody looks after it yet, and somebody still could. */
const isWaiting = (alert: Known): boolean =>
  alert.severity >= CRITICAL && alert.state === "open" && alert.status !== "withdrawn" && !alert.late;

export class Attention {
  private readonly waiting = new Map<string, Known>();
  private readonly seen = new Set<string>();
  /** The alert whose page is open. */
  private watched: string | null = null;
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

  /** The page of an alert is open; null: none. */
  watch(id: string | null): void {
    this.watched = id;
    if (id !== null) this.putAway(id);
  }

  /** This desk has looked at it. What was slight then and grows critical later is told of all the same. */
  putAway(id: string): void {
    if (!this.waiting.delete(id)) return;
    this.seen.add(id);
    this.tell([]);
  }

  private take(changed: Known[], fresh: Set<Known>): void {
    this.tell(changed.filter((alert) => this.put(alert, fresh.has(alert))));
  }

  /** What goes on when the page is opened is shown and not announced; what an absence missed is. */
  private read(): void {
    if (!this.alerts.isCurrent) return;
    const added = [...this.alerts.goingOn()].filter((alert) => this.put(alert, false));
    this.tell(this.hasBegun ? added : []);
    this.hasBegun = true;
  }

  /** Keep or drop an alert; return whether it is news. What is over and old is for the queue. */
  private put(alert: Known, isFresh: boolean): boolean {
    const id = alert.alert_id;
    if (!isWaiting(alert) || this.seen.has(id)) {
      this.waiting.delete(id);
      return false;
    }
    const isNews = !this.waiting.has(id) && (isFresh || alert.ended_at === null);
    if (isNews && id === this.watched) this.seen.add(id);
    else if (isNews || this.waiting.has(id)) this.waiting.set(id, alert);
    return isNews;
  }

  private tell(added: Known[]): void {
    for (const listener of this.listeners) listener(added);
  }
}
