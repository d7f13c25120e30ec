// The alerts that the page knows: those that nobody has dealt with, best first, and those that are going on.

import { type Alert, type AlertPage, get } from "./api";
import { type Entry } from "./live";

/** As the API orders by priority: a step of severity counts as 15 minutes. */
const STEP_MS = 15 * 60_000;
/** More are kept than are shown, so that a filter finds some. */
const MOST = 400;
/** The lists are asked for again after this long when they did not come. */
const AGAIN_MS = 3_000;

export interface Known extends Alert {
  startedMs: number;
  /** Newer and worse is larger. */
  priority: number;
}

function known(alert: Alert): Known {
  const startedMs = Date.parse(alert.started_at);
  return { ...alert, startedMs, priority: startedMs + alert.severity * STEP_MS };
}

const goesOn = (alert: Alert): number => (alert.ended_at === null ? 1 : 0);
const isUnfinished = (alert: Alert): boolean => alert.state === "open" || alert.state === "acknowledged";

export class Alerts {
  private readonly unfinished = new Map<string, Known>();
  private ordered: Known[] | null = null;
  /** Severity of what is going on now, by vehicle. */
  readonly ongoing = new Map<string, Map<string, number>>();
  /** Newest change of each alert since the page was loaded: open pages of one look here. */
  private readonly listeners = new Set<(changed: Known[], fresh: Known[]) => void>();
  /** What the feed told while the lists were on their way: they may not hold it. */
  private meanwhile: Known[] | null = null;

  /** Call a listener with what changed and what is new; with nothing when the lists were read again. */
  whenChanged(listener: (changed: Known[], fresh: Known[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Read what was raised before the feed is followed; try again until it comes. */
  async load(): Promise<void> {
    const meanwhile: Known[] = [];
    this.meanwhile = meanwhile;
    const open = "state=open&state=acknowledged";
    const lists = await Promise.all([
      get<AlertPage>(`/alerts?sort=priority&${open}&limit=200`),
      get<AlertPage>("/alerts?ongoing=true&limit=500"),
    ]).catch(() => null);
    if (this.meanwhile !== meanwhile) return; // read again since
    if (lists === null) {
      setTimeout(() => this.meanwhile === meanwhile && void this.load(), AGAIN_MS);
      return;
    }
    this.meanwhile = null;
    this.unfinished.clear();
    this.ongoing.clear();
    for (const alert of lists.flatMap((list) => list.items)) this.put(known(alert));
    for (const alert of meanwhile) this.put(alert);
    this.trim();
    this.tell([], []);
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
    this.meanwhile?.push(...changed);
    this.trim();
    this.tell(changed, fresh);
  }

  find(id: string): Known | undefined {
    return this.unfinished.get(id);
  }

  /** Return what nobody has dealt with: what goes on first, then newest and worst. */
  inOrder(): Known[] {
    this.ordered ??= [...this.unfinished.values()].sort((a, b) => goesOn(b) - goesOn(a) || b.priority - a.priority);
    return this.ordered;
  }

  /** Return the worst severity that is going on at a vehicle; 0: none. */
  severityOf(vehicle: string): number {
    let worst = 0;
    for (const severity of this.ongoing.get(vehicle)?.values() ?? []) worst = Math.max(worst, severity);
    return worst;
  }

  private put(alert: Known): void {
    if (isUnfinished(alert)) this.unfinished.set(alert.alert_id, alert);
    else this.unfinished.delete(alert.alert_id);
    let at = this.ongoing.get(alert.vehicle);
    if (goesOn(alert) && alert.status !== "withdrawn") {
      if (at === undefined) this.ongoing.set(alert.vehicle, (at = new Map()));
      at.set(alert.alert_id, alert.severity);
    } else if (at?.delete(alert.alert_id) && at.size === 0) this.ongoing.delete(alert.vehicle);
    this.ordered = null;
  }

  /** Forget the least of them: what is beyond is in the store. */
  private trim(): void {
    if (this.unfinished.size <= MOST) return;
    for (const alert of this.inOrder().slice(MOST)) this.unfinished.delete(alert.alert_id);
    this.ordered = null;
  }

  private tell(changed: Known[], fresh: Known[]): void {
    for (const listener of this.listeners) listener(changed, fresh);
  }
}
