// What goes on now, and what the feed tells of alerts: for the map, for the queue, for whoever looks at one.

import { type Alert, type AlertPage, get } from "./api";
import { type Entry } from "./live";
import { Question } from "./question";

/** As the API orders by priority: a step of severity counts as 15 minutes. */
const STEP_MS = 15 * 60_000;

export interface Known extends Alert {
  startedMs: number;
  /** Newer and worse is larger. */
  priority: number;
}

export function known(alert: Alert): Known {
  const startedMs = Date.parse(alert.started_at);
  return { ...alert, startedMs, priority: startedMs + alert.severity * STEP_MS };
}

export const isUnfinished = (alert: Alert): boolean => alert.state === "open" || alert.state === "acknowledged";

/** Hears what changed, and what of it is new. */
type Listener = (changed: Known[], fresh: Known[]) => void;

/** Return all alerts of a list, page by page. */
export async function readAll(query: string, signal: AbortSignal): Promise<Known[]> {
  const found: Known[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const page: AlertPage = await get<AlertPage>(`/alerts?${query}&limit=500${after && `&after=${after}`}`, signal);
    found.push(...page.items.map(known));
    after = page.next;
  }
  return found;
}

export class Alerts {
  /** What goes on now, by vehicle. */
  readonly ongoing = new Map<string, Map<string, Known>>();
  private readonly changeListeners = new Set<Listener>();
  private readonly readListeners = new Set<() => void>();
  /** What the feed told while the list was on its way: it may not hold it. */
  private meanwhile: Known[] = [];
  private readonly list = new Question(
    (signal) => readAll("ongoing=true", signal),
    () => this.came(),
  );

  /** Call a listener with what changed and what of it is new. */
  whenChanged(listener: Listener): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  /** Call a listener when the list of what goes on has come, or has not. */
  whenRead(listener: () => void): () => void {
    this.readListeners.add(listener);
    return () => this.readListeners.delete(listener);
  }

  get reply(): Question<Known[]>["reply"] {
    return this.list.reply;
  }

  /** Whether all that goes on is known: the list has come, and the feed was followed since. */
  get isCurrent(): boolean {
    return this.reply.is === "ready" && this.reply.trouble === null && !this.list.isUnderWay;
  }

  /** Read what goes on: at first, and when the feed was away for too long. */
  read(): void {
    this.meanwhile = [];
    this.list.ask();
    for (const listener of this.readListeners) listener();
  }

  take(entries: Entry[]): void {
    const changed: Known[] = [];
    const fresh: Known[] = [];
    for (const entry of entries) {
      const alert = known(entry.alert);
      // Also if a list, which was on its way, brought it first: each entry of the feed comes once.
      if (isUnfinished(alert) && entry.change === "opened") fresh.push(alert);
      this.put(alert);
      changed.push(alert);
    }
    if (this.list.isUnderWay || this.list.value === null) this.meanwhile.push(...changed);
    for (const listener of this.changeListeners) listener(changed, fresh);
  }

  /** Return all that goes on. */
  *goingOn(): Generator<Known> {
    for (const of_vehicle of this.ongoing.values()) yield* of_vehicle.values();
  }

  /** Return the worst severity that is going on at a vehicle; 0: none. */
  severityOf(vehicle: string): number {
    let worst = 0;
    for (const alert of this.ongoing.get(vehicle)?.values() ?? []) worst = Math.max(worst, alert.severity);
    return worst;
  }

  private came(): void {
    if (this.list.reply.is === "ready" && this.list.reply.trouble === null) {
      this.ongoing.clear();
      for (const alert of [...this.list.reply.value, ...this.meanwhile]) this.put(alert);
      this.meanwhile = [];
    }
    for (const listener of this.readListeners) listener();
  }

  private put(alert: Known): void {
    let at = this.ongoing.get(alert.vehicle);
    if (alert.ended_at === null && alert.status !== "withdrawn") {
      if (at === undefined) this.ongoing.set(alert.vehicle, (at = new Map()));
      at.set(alert.alert_id, alert);
    } else if (at?.delete(alert.alert_id) && at.size === 0) this.ongoing.delete(alert.vehicle);
  }
}
