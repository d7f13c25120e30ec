// The alert queue: newest and worst first, kept up to date by itself.

import { type Alerts, type Known } from "../alerts";
import { badge, severityTag } from "../badge";
import { h, setText } from "../dom";
import { ago, number } from "../format";
import { arranged } from "../groups";
import { type Health } from "../health";
import { t, word } from "../i18n";
import { alertPath } from "../router";
import { duringLine, figures } from "../rules";
import { notice } from "../sentence";
import { type Vehicles } from "../vehicles";
import { type Filter, isEverything, matches, PAGE, type Worklist } from "../worklist";
import { Filters } from "./filters";

/** Changes are shown together this often: soon enough for people, seldom enough for the machine. */
const SHOW_EVERY_MS = 120;
const FRESH_MS = 6_000;
/** Scrolled further than this, new alerts are announced above instead of pushing the list down. */
const SCROLLED_PIXELS = 60;
/** Nearer to the end than this, the list grows. */
const NEAR_END_PIXELS = 600;

interface Row {
  element: HTMLLIElement;
  when: HTMLElement;
  more: HTMLElement;
  shown: Known;
}

/** Where in the queue somebody was: they come back to it. */
export interface Place {
  /** The alert that was opened last, and where it stood. */
  alert: string | null;
  at: number;
  length: number;
  scroll: number;
}

export const TOP: Readonly<Place> = { alert: null, at: 0, length: PAGE, scroll: 0 };

export class Queue {
  readonly element: HTMLElement;
  private readonly list = h("ol", { class: "queue-list", tabindex: "-1" });
  private readonly rows = new Map<string, Row>();
  private readonly says = h("div", { class: "queue-says" });
  private readonly empty = h("div", { class: "queue-empty" });
  private readonly count = h("span", { class: "queue-count" });
  private readonly pill: HTMLButtonElement;
  private readonly moreButton: HTMLButtonElement;
  private readonly filters: Filters;
  private readonly freshUntil = new Map<string, number>();
  private readonly scroller: HTMLElement;
  private unseen = 0;
  private timer = 0;
  private readonly ticker: number;
  /** The keyboard is to go on in the list as soon as it is there. */
  private wantsFocus = false;
  private wantsScroll: boolean;
  private readonly forget: (() => void)[];

  constructor(
    private readonly worklist: Worklist,
    alerts: Alerts,
    private readonly vehicles: Vehicles,
    private readonly health: Health,
    private readonly place: Place,
  ) {
    this.wantsScroll = place.scroll > 0;
    this.filters = new Filters(worklist.filter, vehicles, (filter) => this.choose(filter));
    this.pill = h("button", { type: "button", class: "queue-pill", hidden: true, onclick: () => this.toTop() });
    this.moreButton = h("button", { type: "button", class: "button queue-more", hidden: true, onclick: () => this.grow() }, t("queue.more"));
    this.scroller = h(
      "div",
      { class: "queue-scroll", onscroll: () => this.scrolled() },
      this.says,
      this.list,
      this.empty,
      this.moreButton,
    );
    const title = h("h1", { title: t("queue.order") }, t("queue.title"), " ", this.count);
    this.element = h(
      "section",
      { class: "queue", "aria-label": t("queue.title") },
      h("header", { class: "queue-head" }, title, ...this.filters.always, this.filters.further),
      this.pill,
      this.scroller,
    );
    this.list.addEventListener("click", (event) => this.opened(event.target as Element));
    this.forget = [
      alerts.whenChanged((_, fresh) => this.came(fresh)),
      worklist.whenChanged(() => this.showSoon()),
      health.whenChanged(() => this.showSoon()),
      vehicles.whenRegistered(() => this.rename()),
    ];
    this.ticker = setInterval(() => this.tick(), 1000);
    this.show();
  }

  close(): void {
    for (const forget of this.forget) forget();
    clearInterval(this.ticker);
    clearTimeout(this.timer);
  }

  private choose(filter: Filter): void {
    Object.assign(this.place, TOP);
    this.unseen = 0;
    this.scroller.scrollTop = 0;
    this.worklist.choose(filter);
    this.show();
  }

  // ---------------------------------------------------------------- the list

  private came(fresh: Known[]): void {
    const until = performance.now() + FRESH_MS;
    const ours = fresh.filter((alert) => matches(this.worklist.filter, alert));
    for (const alert of ours) this.freshUntil.set(alert.alert_id, until);
    this.unseen = this.scroller.scrollTop <= SCROLLED_PIXELS ? 0 : this.unseen + ours.length;
    this.showSoon();
  }

  private showSoon(): void {
    if (this.timer === 0) this.timer = setTimeout(() => this.show(), SHOW_EVERY_MS);
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (!this.element.isConnected) return;
    this.place.scroll = scrollTop;
    if (scrollTop + clientHeight > scrollHeight - NEAR_END_PIXELS && !this.moreButton.hidden) this.grow();
    if (scrollTop > SCROLLED_PIXELS || this.unseen === 0) return;
    this.unseen = 0;
    this.showPill();
  }

  private toTop(): void {
    this.scroller.scrollTo({ top: 0, behavior: "smooth" });
  }

  private grow(): void {
    const known = this.worklist.inOrder().length;
    if (this.place.length < known + PAGE) this.place.length += PAGE;
    if (this.place.length > known) this.worklist.grow();
    this.showSoon();
  }

  private show(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    const all = this.worklist.inOrder();
    const shown = all.slice(0, this.place.length);
    const ids = new Set(shown.map((alert) => alert.alert_id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    const elements = arranged(shown, (alert) => this.row(alert).element);
    let before: Element | null = this.list.firstElementChild;
    for (const element of elements) {
      if (element === before) before = before.nextElementSibling;
      else this.list.insertBefore(element, before);
    }
    this.moreButton.hidden = shown.length === all.length && !this.worklist.hasMore;
    this.moreButton.disabled = this.worklist.isGrowing;
    setText(this.moreButton, this.worklist.isGrowing ? t("reply.awaited") : t("queue.more"));
    this.say(shown.length);
    this.showPill();
    this.resume();
  }

  /** Who the vehicles are has changed. */
  private rename(): void {
    for (const row of this.rows.values()) row.element.remove();
    this.rows.clear();
    this.filters.nameChoices();
    this.show();
  }

  /** Say how many there are, and why there are none: never that there is nothing where nobody knows. */
  private say(shown: number): void {
    const { reply, total } = this.worklist;
    const trouble = notice(reply);
    this.says.replaceChildren(...(trouble === null ? [] : [trouble]));
    const all = total === null ? "" : total.is_exact ? number(total.count) : t("queue.count.more", { n: number(total.count) });
    setText(this.count, total === null || total.count === shown ? all : t("queue.count", { shown: number(shown), all }));
    this.empty.hidden = shown > 0 || trouble !== null;
    if (this.empty.hidden) return;
    if (!this.health.isGood) {
      const isComing = this.health.state === "connecting";
      this.empty.replaceChildren(h("p", {}, isComing ? t("reply.awaited") : t("queue.unknown")));
      return;
    }
    const isFiltered = !isEverything(this.worklist.filter);
    const hint = this.vehicles.count === 0 ? t("queue.no_vehicles") : t("queue.empty.hint");
    this.empty.replaceChildren(
      h("p", {}, isFiltered ? t("queue.filtered") : t("queue.empty")),
      ...(isFiltered ? [] : [h("p", { class: "hint" }, hint)]),
    );
  }

  private showPill(): void {
    this.pill.hidden = this.unseen === 0;
    setText(this.pill, t("queue.new", { n: this.unseen }));
  }

  /** Return the row of an alert, made or brought up to date. */
  private row(alert: Known): Row {
    const known = this.rows.get(alert.alert_id);
    if (known !== undefined && known.shown === alert) return known;
    const row = this.make(alert);
    if (known !== undefined) {
      const hadFocus = known.element.contains(document.activeElement);
      known.element.replaceWith(row.element);
      if (hadFocus) row.element.querySelector("a")?.focus();
    }
    this.rows.set(alert.alert_id, row);
    return row;
  }

  private make(alert: Known): Row {
    const facts = this.vehicles.factsOf(alert.vehicle);
    const when = h("time", { class: "row-when", datetime: alert.started_at });
    const more = h("span", {});
    const isFresh = (this.freshUntil.get(alert.alert_id) ?? 0) > performance.now();
    const element = h(
      "li",
      { class: `row${isFresh ? " is-fresh" : ""}${alert.ended_at === null ? " is-ongoing" : ""}`, "data-alert": alert.alert_id },
      h(
        "a",
        { href: alertPath(alert.alert_id) },
        badge(alert.severity),
        h(
          "span",
          { class: "row-main" },
          h("strong", { class: "row-title" }, word("rule", alert.rule)),
          h("span", { class: "row-vehicle" }, facts?.plate && h("b", {}, facts.plate), ` ${alert.vehicle}`),
          h("span", { class: "row-more" }, severityTag(alert.severity), " · ", more),
        ),
        h("span", { class: "row-side" }, when, h("span", { class: "row-company" }, facts?.companyName || (alert.company ?? ""))),
      ),
    );
    const row = { element, when, more, shown: alert };
    this.tell(row);
    return row;
  }

  private tell(row: Row): void {
    const alert = row.shown;
    const now = this.vehicles.now();
    setText(row.when, ago((now - alert.startedMs) / 1000));
    // Whether it goes on still is not known while the console, or what it reads, is away.
    const knownMs = this.health.asOfMs();
    const parts = [figures(alert, knownMs), duringLine(alert, knownMs)];
    if (alert.ended_at === null) parts.push(t("alert.ongoing"));
    if (alert.late) parts.push(t("alert.late"));
    if (alert.state === "acknowledged") parts.push(t("state.acknowledged"));
    setText(row.more, parts.filter((part) => part !== "").join(" · "));
  }

  private tick(): void {
    for (const row of this.rows.values()) this.tell(row);
    const now = performance.now();
    for (const [id, until] of this.freshUntil) {
      if (until > now) continue;
      this.freshUntil.delete(id);
      this.rows.get(id)?.element.classList.remove("is-fresh");
    }
  }

  // ---------------------------------------------------------------- the keyboard

  /** j and k go through the list wherever the keyboard is, arrow keys where they mean nothing else. */
  key(event: KeyboardEvent): boolean {
    const way = { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const focused = document.activeElement;
    const isHere = focused === null || focused === document.body || this.list.contains(focused);
    if (way === undefined || (event.key.startsWith("Arrow") && !isHere)) return false;
    const links = this.links();
    const at = links.indexOf(focused as HTMLAnchorElement);
    const next = links[at < 0 ? this.placeIn(links) : Math.max(0, Math.min(links.length - 1, at + way))];
    if (next === undefined) return false;
    next.focus();
    this.opened(next);
    if (next === links.at(-1) && !this.moreButton.hidden) this.grow();
    return true;
  }

  /** Go on where somebody was: in the row that they opened, or in the one that took its place. */
  focus(): void {
    this.wantsFocus = true;
    this.resume();
  }

  private resume(): void {
    if (!this.element.isConnected || this.rows.size === 0) return;
    if (this.wantsScroll) this.scroller.scrollTop = this.place.scroll;
    this.wantsScroll = false;
    if (!this.wantsFocus) return;
    this.wantsFocus = false;
    const links = this.links();
    links[this.placeIn(links)]?.focus();
  }

  private links(): HTMLAnchorElement[] {
    return [...this.list.querySelectorAll("a")];
  }

  private placeIn(links: HTMLAnchorElement[]): number {
    const row = this.place.alert === null ? undefined : this.rows.get(this.place.alert);
    const at = row === undefined ? -1 : links.findIndex((link) => row.element.contains(link));
    return at >= 0 ? at : Math.max(0, Math.min(links.length - 1, this.place.at));
  }

  /** Note which row the keyboard or the pointer is at. */
  private opened(target: Element): void {
    const row = target.closest<HTMLElement>("[data-alert]");
    if (row === null) return;
    this.place.alert = row.dataset["alert"] ?? null;
    this.place.at = [...this.list.children].indexOf(row);
  }
}
