// Under the bar, on every page: that what is shown may be old, and critical alerts that nobody has looked at here.

import { type Attention } from "../attention";
import { badge } from "../badge";
import { h, icon, setText } from "../dom";
import { ago, clockTime, hourAndMinute } from "../format";
import { type Health } from "../health";
import { t, word } from "../i18n";
import { alertPath } from "../router";
import { type Vehicles } from "../vehicles";

const CROSS = "M6 6l12 12M18 6 6 18";

export class Strips {
  readonly element = h("div", { class: "strips" });
  private readonly trouble = h("div", { class: "strip strip-trouble", role: "status", hidden: true });
  private readonly critical = h("div", { class: "strip strip-critical", role: "region", "aria-label": t("attention.title"), hidden: true });
  private readonly since = h("time", { class: "strip-since" });
  private sinceMs = 0;

  constructor(
    private readonly health: Health,
    private readonly attention: Attention,
    private readonly vehicles: Vehicles,
  ) {
    this.element.append(this.trouble, this.critical);
    health.whenChanged(() => this.showTrouble());
    attention.whenChanged(() => this.showCritical());
    setInterval(() => this.tick(), 1000);
  }

  /** Say something once, until something else is said. */
  say(text: string): void {
    this.trouble.hidden = false;
    setText(this.trouble, text);
  }

  private showTrouble(): void {
    const { state, sinceMs } = this.health;
    this.trouble.hidden = state === "live" || state === "connecting";
    if (state === "live" || state === "connecting") return;
    setText(this.trouble, t(`health.${state}`, { time: hourAndMinute(sinceMs) }));
  }

  private showCritical(): void {
    const [alert, ...others] = this.attention.list();
    this.critical.hidden = alert === undefined;
    document.title = alert === undefined ? t("app.title") : `(${others.length + 1}) ${t("app.title")}`;
    if (alert === undefined) return;
    this.sinceMs = alert.startedMs;
    this.since.setAttribute("datetime", alert.started_at);
    const facts = this.vehicles.factsOf(alert.vehicle);
    const had = this.critical.contains(document.activeElement);
    this.critical.replaceChildren(
      badge(alert.severity),
      h("b", { class: "strip-what" }, word("rule", alert.rule), h("span", {}, ` · ${[alert.vehicle, facts?.plate].filter(Boolean).join(" ")}`)),
      this.since,
      h("a", { class: "button strip-open", href: alertPath(alert.alert_id) }, t("attention.open")),
      h("a", { class: "strip-others", href: "/", hidden: others.length === 0 }, t("attention.others", { n: others.length })),
      h(
        "button",
        { type: "button", class: "strip-close", "aria-label": t("attention.close"), title: t("attention.close"), onclick: () => this.attention.putAway(alert.alert_id) },
        icon(CROSS),
      ),
    );
    if (had) this.critical.querySelector("a")?.focus();
    this.tick();
  }

  private tick(): void {
    if (this.critical.hidden) return;
    const passed = ago((this.vehicles.now() - this.sinceMs) / 1000);
    setText(this.since, t("attention.since", { time: clockTime(this.sinceMs), ago: passed }));
  }
}
