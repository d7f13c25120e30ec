// The alert queue: newest and worst first, kept up to date by itself.

import { type Alerts, type Known } from "../alerts";
import { badge, severityTag, severityWord } from "../badge";
import { h, setText } from "../dom";
import { ago } from "../format";
import { arranged } from "../groups";
import { t, word } from "../i18n";
import { alertPath } from "../router";
import { duringLine, figures } from "../rules";
import { type Vehicles } from "../vehicles";

const PAGE = 60;
/** Changes are shown together this often: soon enough for people, seldom enough for the machine. */
const SHOW_EVERY_MS = 120;
const FRESH_MS = 6_000;
/** Scrolled further than this, new alerts are announced above instead of pushing the list down. */
const SCROLLED_PIXELS = 60;

interface Row {
  element: HTMLLIElement;
  when: HTMLElement;
  more: HTMLElement;
  shown: Known;
}

export class Queue {
  readonly element: HTMLElement;
  private readonly list = h("ol", { class: "queue-list", tabindex: "-1" });
  private readonly rows = new Map<string, Row>();
  private readonly empty: HTMLElement;
  private readonly pill: HTMLButtonElement;
  private readonly moreButton: HTMLButtonElement;
  private readonly ruleChoice: HTMLSelectElement;
  private readonly freshUntil = new Map<string, number>();
  private minSeverity = 1;
  private ongoingOnly = false;
  private rule = "";
  private length = PAGE;
  private unseen = 0;
  private timer = 0;
  private ticker = 0;
  private readonly forget: () => void;

  constructor(
    private readonly alerts: Alerts,
    private readonly vehicles: Vehicles,
  ) {
    this.empty = h("div", { class: "queue-empty" });
    this.pill = h("button", { type: "button", class: "queue-pill", hidden: true, onclick: () => this.toTop() });
    this.moreButton = h("button", { type: "button", class: "button queue-more", hidden: true, onclick: () => this.grow() }, t("queue.more"));
    this.ruleChoice = h("select", { class: "select", "aria-label": t("queue.rule"), onchange: () => this.choose() });
    this.element = h(
      "section",
      { class: "queue", "aria-label": t("queue.title") },
      this.head(),
      this.pill,
      h("div", { class: "queue-scroll", onscroll: () => this.scrolled() }, this.list, this.empty, this.moreButton),
    );
    this.list.addEventListener("keydown", (event) => this.step(event));
    const forgetAlerts = alerts.whenChanged((_, fresh) => this.changed(fresh));
    const forgetNames = vehicles.whenRegistered(() => this.rename());
    this.forget = () => {
      forgetAlerts();
      forgetNames();
    };
    this.ticker = setInterval(() => this.tick(), 1000);
    this.show();
  }

  close(): void {
    this.forget();
    clearInterval(this.ticker);
    clearTimeout(this.timer);
  }

  // ---------------------------------------------------------------- filters

  private head(): HTMLElement {
    const severities = [1, 2, 3, 4].map((severity) =>
      h(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(severity === this.minSeverity),
          onclick: () => this.chooseSeverity(severity),
          "data-severity": severity,
          title: severity > 1 && severity < 4 ? t("queue.and_worse", { severity: severityWord(severity) }) : null,
        },
        ...(severity === 1 ? [t("queue.any")] : [badge(severity), severityWord(severity), severity < 4 ? "+" : null]),
      ),
    );
    const ongoing = h(
      "button",
      { type: "button", class: "chip chip-ongoing", "aria-pressed": "false", onclick: () => this.chooseOngoing(ongoing) },
      h("span", { class: "pulse", "aria-hidden": "true" }),
      t("queue.ongoing"),
    );
    return h(
      "header",
      { class: "queue-head" },
      h("h1", { title: t("queue.order") }, t("queue.title")),
      h("div", { class: "chips", role: "group", "aria-label": t("queue.severity") }, ...severities),
      ongoing,
      this.ruleChoice,
    );
  }

  private chooseSeverity(severity: number): void {
    this.minSeverity = severity;
    for (const chip of this.element.querySelectorAll("[data-severity]"))
      chip.setAttribute("aria-pressed", String(chip.getAttribute("data-severity") === String(severity)));
    this.refilter();
  }

  private chooseOngoing(chip: Element): void {
    this.ongoingOnly = !this.ongoingOnly;
    chip.setAttribute("aria-pressed", String(this.ongoingOnly));
    this.refilter();
  }

  private choose(): void {
    this.rule = this.ruleChoice.value;
    this.refilter();
  }

  private refilter(): void {
    this.length = PAGE;
    this.show();
  }

  private wanted(alert: Known): boolean {
    if (alert.severity < this.minSeverity) return false;
    if (this.ongoingOnly && alert.ended_at !== null) return false;
    return this.rule === "" || alert.rule === this.rule;
  }

  private showRules(): void {
    const rules = [...new Set(this.alerts.inOrder().map((alert) => alert.rule))].sort();
    if (this.rule !== "" && !rules.includes(this.rule)) rules.push(this.rule);
    this.ruleChoice.hidden = rules.length < 2;
    const wanted = ["", ...rules];
    const present = [...this.ruleChoice.options].map((option) => option.value);
    if (wanted.join() === present.join()) return;
    this.ruleChoice.replaceChildren(
      ...wanted.map((rule) => h("option", { value: rule }, rule === "" ? t("queue.rule.any") : word("rule", rule))),
    );
    this.ruleChoice.value = this.rule;
  }

  // ---------------------------------------------------------------- the list

  private changed(fresh: Known[]): void {
    const until = performance.now() + FRESH_MS;
    for (const alert of fresh) this.freshUntil.set(alert.alert_id, until);
    const seen = this.scroller().scrollTop <= SCROLLED_PIXELS;
    this.unseen = seen ? 0 : this.unseen + fresh.filter((alert) => this.wanted(alert)).length;
    if (this.timer === 0) this.timer = setTimeout(() => this.show(), SHOW_EVERY_MS);
  }

  private scroller(): Element {
    return this.list.parentElement ?? this.list;
  }

  private scrolled(): void {
    if (this.scroller().scrollTop > SCROLLED_PIXELS || this.unseen === 0) return;
    this.unseen = 0;
    this.showPill();
  }

  private toTop(): void {
    this.scroller().scrollTo({ top: 0, behavior: "smooth" });
  }

  private grow(): void {
    this.length += PAGE;
    this.show();
  }

  private show(): void {
    clearTimeout(this.timer);
    this.timer = 0;
    this.showRules();
    const wanted = this.alerts.inOrder().filter((alert) => this.wanted(alert));
    const shown = wanted.slice(0, this.length);
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
    this.moreButton.hidden = wanted.length <= this.length;
    this.showEmpty(shown.length);
    this.showPill();
  }

  /** Who the vehicles are has changed. */
  private rename(): void {
    for (const row of this.rows.values()) row.element.remove();
    this.rows.clear();
    this.show();
  }

  private showEmpty(count: number): void {
    this.empty.hidden = count > 0;
    if (count > 0) return;
    const filtered = this.alerts.inOrder().length > 0;
    const hint = this.vehicles.isKnown && this.vehicles.count === 0 ? t("queue.no_vehicles") : t("queue.empty.hint");
    this.empty.replaceChildren(
      h("p", {}, filtered ? t("queue.filtered") : t("queue.empty")),
      ...(filtered ? [] : [h("p", { class: "hint" }, hint)]),
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
    const parts = [figures(alert, now), duringLine(alert, now)];
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

  /** Arrow keys, j and k go through the list. */
  private step(event: KeyboardEvent): void {
    const way = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (way === undefined) return;
    const links = [...this.list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const next = links[Math.max(0, Math.min(links.length - 1, at + way))];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  }

  focus(): void {
    (this.list.querySelector("a") ?? this.list).focus();
  }
}
