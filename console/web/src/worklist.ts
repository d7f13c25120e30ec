// The list that the queue shows: as much of it as was asked for, of the alerts that a filter lets through.
//
// The server has the list; here is its beginning, up to and including `end`. The feed keeps that up to date.
// What lies behind is only counted, and counted again by the server when the feed tells of something there.

import { type Alert, type AlertPage, get, type Total } from "./api";
import { type Alerts, known, type Known } from "./alerts";
import { Question, type Reply } from "./question";

export const PAGE = 100;
const MAX_AT_ONCE = 500;
/** What came by the feed may make the list longer than was asked for, by so many. */
const SLACK = 400;
/** The server counts at most so often, however much happens. */
const COUNT_AFTER_MS = 3_000;

export interface Filter {
  readonly states: readonly Alert["state"][];
  readonly minSeverity: number;
  readonly ongoing: boolean;
  /** Empty: any. */
  readonly rule: string;
  readonly company: string;
  readonly vehicle: string;
}

export const EVERYTHING: Filter = {
  states: ["open", "acknowledged"],
  minSeverity: 1,
  ongoing: false,
  rule: "",
  company: "",
  vehicle: "",
};

export const isEverything = (filter: Filter): boolean => JSON.stringify(filter) === JSON.stringify(EVERYTHING);

const UNFINISHED = new Set<Alert["state"]>(EVERYTHING.states);
const isQueue = (filter: Filter): boolean => filter.states.every((state) => UNFINISHED.has(state));

/** Return whether a filter lets an alert through, whatever becomes of it later. */
function mayEverMatch(filter: Filter, alert: Known): boolean {
  return (
    (filter.rule === "" || alert.rule === filter.rule) &&
    (filter.company === "" || alert.company === filter.company) &&
    (filter.vehicle === "" || alert.vehicle === filter.vehicle)
  );
}

export function matches(filter: Filter, alert: Known): boolean {
  return (
    mayEverMatch(filter, alert) &&
    filter.states.includes(alert.state) &&
    alert.severity >= filter.minSeverity &&
    (!filter.ongoing || alert.ended_at === null)
  );
}

const goesOn = (alert: Alert): number => (alert.ended_at === null ? 1 : 0);

/** Orders as the server does: the queue by what goes on and then by priority, other lists by start. */
function comparison(filter: Filter): (a: Known, b: Known) => number {
  const later = (a: Known, b: Known): number => (a.alert_id < b.alert_id ? 1 : -1);
  if (!isQueue(filter)) return (a, b) => b.startedMs - a.startedMs || later(a, b);
  return (a, b) => goesOn(b) - goesOn(a) || b.priority - a.priority || later(a, b);
}

interface Beginning {
  items: Known[];
  /** Cursor of what follows; null: that is all. */
  next: string | null;
  total: Total;
}

export class Worklist {
  filter: Filter = EVERYTHING;
  private compare = comparison(EVERYTHING);
  private readonly items = new Map<string, Known>();
  private ordered: Known[] | null = null;
  /** The last alert that is here as it was then; null: nothing lies behind. */
  private end: Known | null = null;
  /** Cursor of what lies behind; null: the way there must be read again. */
  private next: string | null = null;
  private counted: Total = { count: 0, is_exact: true };
  private wanted = PAGE;
  private meanwhile: Known[] = [];
  private countTimer = 0;
  private readonly listeners = new Set<() => void>();
  private readonly beginning = new Question((signal) => this.readBeginning(signal), (reply) => this.begun(reply));
  private readonly more = new Question((signal) => this.readMore(signal), (reply) => this.grown(reply));
  private readonly count = new Question((signal) => this.readCount(signal), (reply) => this.recounted(reply));

  constructor(alerts: Alerts) {
    alerts.whenChanged((changed, fresh) => this.take(changed, fresh));
  }

  whenChanged(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** How it is with the list; with trouble also where only more of it does not come. */
  get reply(): Reply<unknown> {
    const { reply } = this.beginning;
    if (reply.is !== "ready" || reply.trouble !== null) return reply;
    const rest = [this.more.reply, this.count.reply].find((one) => "trouble" in one && one.trouble !== null);
    return rest !== undefined && "trouble" in rest ? { ...reply, trouble: rest.trouble } : reply;
  }

  get hasMore(): boolean {
    return this.end !== null;
  }

  get isGrowing(): boolean {
    return this.more.isUnderWay;
  }

  /** How many alerts the filter lets through; null: not known. */
  get total(): Total | null {
    if (this.beginning.value === null) return null;
    return this.end === null ? { count: this.items.size, is_exact: true } : this.counted;
  }

  inOrder(): readonly Known[] {
    this.ordered ??= [...this.items.values()].sort(this.compare);
    return this.ordered;
  }

  find(id: string): Known | undefined {
    return this.items.get(id);
  }

  /** Return what comes after an alert in the list, else what comes before it. */
  neighbour(id: string): Known | undefined {
    const list = this.inOrder();
    const at = list.findIndex((alert) => alert.alert_id === id);
    return at < 0 ? list[0] : (list[at + 1] ?? list[at - 1]);
  }

  /** Show other alerts. */
  choose(filter: Filter): void {
    this.filter = filter;
    this.compare = comparison(filter);
    this.items.clear();
    this.ordered = null;
    this.end = this.next = null;
    this.wanted = PAGE;
    this.beginning.reply = { is: "awaited" };
    this.read();
    this.tell();
  }

  /** Read the list, as much of it as was here. */
  read(): void {
    this.more.close();
    this.count.close();
    this.more.reply = this.count.reply = { is: "awaited" };
    this.meanwhile = [];
    this.beginning.ask();
  }

  /** Read what follows. */
  grow(): void {
    if (this.end === null || this.beginning.isUnderWay || this.more.isUnderWay) return;
    this.wanted = this.items.size + PAGE;
    if (this.next === null) this.read();
    else this.more.ask();
    this.tell();
  }

  // ---------------------------------------------------------------- the server

  private path(limit: number, after: string | null, withTotal: boolean): string {
    const { filter } = this;
    const query = new URLSearchParams({ sort: isQueue(filter) ? "queue" : "newest", limit: String(limit) });
    for (const state of filter.states) query.append("state", state);
    if (filter.minSeverity > 1) query.set("min_severity", String(filter.minSeverity));
    if (filter.ongoing) query.set("ongoing", "true");
    for (const name of ["rule", "company", "vehicle"] as const) if (filter[name] !== "") query.set(name, filter[name]);
    if (withTotal) query.set("total", "true");
    if (after !== null) query.set("after", after);
    return `/alerts?${query.toString()}`;
  }

  private async readBeginning(signal: AbortSignal): Promise<Beginning> {
    const items: Known[] = [];
    let total: Total | null = null;
    for (let after: string | null = null; ; ) {
      const limit = Math.min(MAX_AT_ONCE, this.wanted - items.length);
      const page: AlertPage = await get<AlertPage>(this.path(limit, after, total === null), signal);
      items.push(...page.items.map(known));
      total ??= page.total;
      after = page.next;
      if (after === null || items.length >= this.wanted) return { items, next: after, total: total ?? this.counted };
    }
  }

  private async readMore(signal: AbortSignal): Promise<AlertPage> {
    return get<AlertPage>(this.path(PAGE, this.next, false), signal);
  }

  private async readCount(signal: AbortSignal): Promise<Total> {
    const page = await get<AlertPage>(this.path(1, null, true), signal);
    return page.total ?? this.counted;
  }

  private begun(reply: Reply<Beginning>): void {
    if (reply.is === "ready" && reply.trouble === null) {
      this.items.clear();
      for (const alert of reply.value.items) this.items.set(alert.alert_id, alert);
      this.counted = reply.value.total;
      this.endAt(reply.value.items.at(-1), reply.value.next);
    }
    this.tell();
  }

  private grown(reply: Reply<AlertPage>): void {
    if (reply.is === "ready" && reply.trouble === null) {
      const items = reply.value.items.map(known);
      for (const alert of items) this.items.set(alert.alert_id, alert);
      this.endAt(items.at(-1), reply.value.next);
    }
    this.tell();
  }

  /** The list is here up to an alert; what the feed told since it was asked for comes on top. */
  private endAt(last: Known | undefined, next: string | null): void {
    this.next = next;
    this.end = next === null ? null : (last ?? this.end);
    this.ordered = null;
    for (const alert of this.meanwhile.splice(0)) this.put(alert);
  }

  private recounted(reply: Reply<Total>): void {
    if (reply.is === "ready" && reply.trouble === null) this.counted = reply.value;
    this.tell();
  }

  // ---------------------------------------------------------------- the feed

  private take(changed: Known[], fresh: Known[]): void {
    if (this.beginning.isUnderWay || this.more.isUnderWay || this.beginning.value === null) this.meanwhile.push(...changed);
    if (this.beginning.value === null) return;
    let isOfUs = false;
    const isNew = new Set(fresh);
    for (const alert of changed) {
      if (!mayEverMatch(this.filter, alert)) continue;
      isOfUs = true;
      const [was, is] = [this.items.has(alert.alert_id), this.put(alert)];
      if (was && !is && !matches(this.filter, alert)) this.add(-1);
      else if (!was && is && isNew.has(alert)) this.add(1);
    }
    if (!isOfUs) return;
    if (this.end !== null) this.countSoon();
    this.trim();
    this.tell();
  }

  /** Keep an alert if it belongs to what is here; return whether it does. */
  private put(alert: Known): boolean {
    const isBehind = this.end !== null && this.compare(alert, this.end) > 0;
    const isHere = !isBehind && matches(this.filter, alert);
    if (isHere) this.items.set(alert.alert_id, alert);
    else this.items.delete(alert.alert_id);
    this.ordered = null;
    return isHere;
  }

  private add(change: number): void {
    if (this.counted.is_exact) this.counted = { count: Math.max(0, this.counted.count + change), is_exact: true };
  }

  private countSoon(): void {
    if (this.countTimer !== 0) return;
    this.countTimer = setTimeout(() => {
      this.countTimer = 0;
      if (this.end !== null && !this.beginning.isUnderWay) this.count.ask();
    }, COUNT_AFTER_MS);
  }

  /** Let go of what nobody asked for: a page that stays open for weeks stays light. */
  private trim(): void {
    if (this.items.size <= this.wanted + SLACK) return;
    if (this.end === null) this.counted = { count: this.items.size, is_exact: true };
    const list = this.inOrder();
    for (const alert of list.slice(this.wanted)) this.items.delete(alert.alert_id);
    this.end = list[this.wanted - 1] ?? null;
    this.next = null;
    this.ordered = null;
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
