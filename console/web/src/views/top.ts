// The bar at the top: how many vehicles are how, whether the page is live, the time, and the switches.

import { type Notices, type Sound } from "../alarm";
import { type About, del, type Session } from "../api";
import { h, icon, setText } from "../dom";
import { clockTime, number } from "../format";
import { type Health } from "../health";
import { chooseLanguage, language, t } from "../i18n";
import { type Tally } from "../map/trucks";
import { go, vehiclePath } from "../router";
import { sentence } from "../sentence";
import { chooseTheme, theme } from "../theme";
import { type Vehicles } from "../vehicles";
import { alarmMenu } from "./alarm";

const SUGGESTIONS = 8;
const SUN = "M12 4V2M12 22v-2M4 12H2M22 12h-2M6.3 6.3 4.9 4.9M19.1 19.1l-1.4-1.4M6.3 17.7l-1.4 1.4M19.1 4.9l-1.4 1.4M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z";
const MOON = "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5Z";
const OUT = "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h10";

export class TopBar {
  readonly element: HTMLElement;
  private readonly time = h("time", { class: "top-time", title: t("app.beijing") });
  private readonly live = h("span", { class: "top-live is-connecting", role: "status" });
  private readonly counts = new Map<keyof Tally, HTMLElement>();

  constructor(
    private readonly vehicles: Vehicles,
    private readonly health: Health,
    about: About,
    session: Session,
    alarm: { sound: Sound; notices: Notices },
    changed: () => void,
    say: (text: string) => void,
  ) {
    this.element = h(
      "header",
      { class: "top" },
      h("a", { class: "brand", href: "/" }, h("img", { src: "/assets/icon.svg", alt: "", width: "26", height: "26" }), h("span", {}, "Kerbsafe")),
      about.demo && h("span", { class: "tag" }, t("app.demo")),
      about.sandbox && h("span", { class: "tag" }, t("app.sandbox")),
      h("nav", { class: "top-nav" }, h("a", { href: "/" }, t("app.nav.alerts")), h("a", { href: "/accidents" }, t("app.nav.accidents")), h("a", { href: "/places" }, t("app.nav.places"))),
      this.tally(),
      this.search(),
      this.live,
      this.time,
      who(session),
      alarmMenu(alarm.sound, alarm.notices),
      this.languageButton(changed),
      this.themeButton(),
      session.means === "session" && this.button(t("app.logout"), OUT, () => void logOut().catch((error: unknown) => say(t("common.failed", { why: sentence(error) })))),
    );
    health.whenChanged(() => this.showHealth());
    this.showHealth();
  }

  private showHealth(): void {
    const { state } = this.health;
    this.live.className = `top-live is-${state}`;
    setText(this.live, t(`live.${state}`));
  }

  /** Show the time and how many vehicles are how; what is not known is no number. */
  tick(tally: Tally): void {
    const { knowsVehicles, knowsAlerts } = this.health;
    setText(this.time, clockTime(this.vehicles.now()));
    for (const [name, place] of this.counts) {
      const isKnown = knowsVehicles && (name !== "alerting" || knowsAlerts);
      setText(place, isKnown ? number(tally[name]) : "–");
    }
  }

  private tally(): HTMLElement {
    const one = (name: keyof Tally, title = ""): HTMLElement => {
      const value = h("b", {}, "–");
      this.counts.set(name, value);
      return h("span", { class: `count count-${name}`, title }, h("i", { class: `legend-mark legend-${name}` }), value, h("span", { class: "count-name" }, ` ${t(`count.${name}`)}`));
    };
    return h("div", { class: "counts" }, one("moving"), one("stopped"), one("grey", t("count.grey.why")), one("alerting"));
  }

  private search(): HTMLElement {
    const list = h("ul", { class: "found", id: "found", hidden: true });
    const input = h("input", {
      type: "search",
      class: "input search-input",
      placeholder: t("app.search"),
      "aria-label": t("app.search.label"),
      autocomplete: "off",
      "aria-controls": "found",
    });
    const hide = (): void => {
      list.hidden = true;
    };
    const show = (): void => {
      const found = this.vehicles.search(input.value, SUGGESTIONS);
      list.replaceChildren(
        ...found.map((facts) => h("li", {}, h("a", { href: vehiclePath(facts.code) }, h("b", {}, facts.code), h("span", {}, `${facts.plate} ${facts.companyName}`)))),
      );
      if (found.length === 0) list.append(h("li", { class: "hint" }, t(this.vehicles.isKnown ? "app.search.none" : "reply.awaited")));
      list.hidden = input.value.trim() === "";
    };
    input.addEventListener("input", show);
    input.addEventListener("keydown", (event) => {
      const first = list.querySelector("a");
      if (event.key === "Escape") hide();
      if (event.key === "ArrowDown" && first !== null) first.focus();
      if (event.key === "Enter" && first !== null) {
        go(first.pathname);
        input.value = "";
        hide();
      }
    });
    const box = h("div", { class: "search", role: "search" }, input, list);
    list.addEventListener("click", () => {
      input.value = "";
      hide();
    });
    box.addEventListener("focusout", (event) => {
      if (!box.contains(event.relatedTarget as Node | null)) hide();
    });
    return box;
  }

  private languageButton(changed: () => void): HTMLElement {
    const change = (): void => {
      chooseLanguage(language === "en" ? "zh-CN" : "en");
      changed();
    };
    return h("button", { type: "button", class: "top-button top-language", "aria-label": t("app.language.label"), onclick: change }, t("app.language"));
  }

  private themeButton(): HTMLElement {
    const place = h("span", {});
    const show = (): void => {
      const other = theme() === "dark" ? "light" : "dark";
      place.replaceChildren(
        this.button(t(`app.theme.${other}`), other === "light" ? SUN : MOON, () => {
          chooseTheme(other);
          show();
        }),
      );
    };
    show();
    return place;
  }

  private button(label: string, path: string, act: () => void): HTMLElement {
    return h("button", { type: "button", class: "top-button", "aria-label": label, title: label, onclick: act }, icon(path));
  }
}

function who(session: Session): HTMLElement {
  const role = session.means === "demo" ? t("role.demo") : session.role === null ? "" : t(`role.${session.role}`);
  const name = session.means === "demo" ? "" : session.name;
  const text = [name, role].filter((part) => part !== "").join(" · ");
  return h("span", { class: "top-who", title: `${t("app.who")}: ${text}` }, h("b", {}, name), h("span", {}, role));
}

async function logOut(): Promise<void> {
  await del("/session");
  location.assign("/");
}
