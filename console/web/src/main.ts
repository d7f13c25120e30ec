// The page of the console.

import "leaflet/dist/leaflet.css";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/layout.css";
import "./style/parts.css";
import "./style/handling.css";
import "./style/print.css";
import { type About, get, Problem, type Session, whenLoggedOut } from "./api";
import { Alerts } from "./alerts";
import { Announcer } from "./announcer";
import { h } from "./dom";
import { language, t } from "./i18n";
import { Live } from "./live";
import { CityMap, datumOf } from "./map/map";
import { printable } from "./printing";
import { followLinks, go, type Route, route, whenRouteChanges } from "./router";
import * as theme from "./theme";
import { Vehicles } from "./vehicles";
import { AlertPage } from "./views/alert";
import { login } from "./views/login";
import { Queue } from "./views/queue";
import { TopBar } from "./views/top";
import { VehiclePage } from "./views/vehicle";

const place = document.getElementById("app") ?? document.body;

async function begin(): Promise<void> {
  theme.show();
  document.documentElement.lang = language;
  document.title = t("app.title");
  const session = await get<Session>("/session").catch((error: unknown) => {
    if (error instanceof Problem) return null;
    throw error;
  });
  if (session === null) login(place, () => location.reload());
  else if (session.must_change_password) login(place, () => location.reload(), session);
  else await open(session);
}

/** Build the page and keep it alive until it is left. */
async function open(session: Session): Promise<void> {
  whenLoggedOut(() => location.reload());
  const about = await get<About>("/about");
  const vehicles = new Vehicles(datumOf(about));
  vehicles.setNow(Date.parse(about.now));
  const alerts = new Alerts();
  const announcer = new Announcer();
  const mapPlace = h("div", { class: "map", role: "application", "aria-label": t("app.map"), tabindex: "0" });
  const panel = h("main", { class: "panel", id: "panel", "aria-label": t("app.panel") });
  const top = new TopBar(vehicles, about, session, () => location.reload());
  place.replaceChildren(
    h("a", { class: "skip", href: "#panel", onclick: (event: Event) => skip(event, panel) }, t("app.skip")),
    top.element,
    h("div", { class: "body" }, mapPlace, panel),
    ...announcer.elements,
  );
  const map = new CityMap(mapPlace, about, vehicles, alerts, (code) => go(`/vehicles/${code}`));
  place.append(printable(map, session.name, () => vehicles.now()));
  const pages = new Pages(panel, (wanted) => makePage(wanted, alerts, vehicles, map, session.may_act));
  alerts.whenChanged((_, fresh) => announcer.take(fresh));

  const live = new Live({
    state: (state) => top.setLive(state),
    vehicles: (registered) => vehicles.register(registered),
    positions: (positions) => {
      vehicles.take(positions);
      map.update();
    },
    entries: (entries) => alerts.take(entries),
    resync: () => void alerts.load(),
    ended: () => void get<Session>("/session").catch(() => location.reload()),
  });
  live.start();
  pages.show();
  setInterval(() => top.tick(map.tally()), 1000);
  addEventListener("keydown", (event) => shortcuts(event));
}

interface Page {
  readonly element: HTMLElement;
  close(): void;
}

function makePage(wanted: Route, alerts: Alerts, vehicles: Vehicles, map: CityMap, mayAct: boolean): Page {
  switch (wanted.page) {
    case "alert":
      return new AlertPage(wanted.id, alerts, vehicles, map, mayAct);
    case "vehicle":
      return new VehiclePage(wanted.code, wanted.day, vehicles, map);
    case "queue":
      return new Queue(alerts, vehicles);
  }
}

/** Shows the page that the address names. */
class Pages {
  private page: Page | null = null;

  constructor(
    private readonly panel: HTMLElement,
    private readonly make: (wanted: Route) => Page,
  ) {
    whenRouteChanges(() => this.show());
  }

  show(): void {
    const wanted = route();
    const moved = this.page !== null;
    this.page?.close();
    this.page = this.make(wanted);
    document.body.dataset["page"] = wanted.page;
    this.panel.replaceChildren(this.page.element);
    this.panel.scrollTop = 0;
    // After a click in the list or on the map, the keyboard goes on in what was opened.
    if (moved) (this.page.element.querySelector<HTMLElement>("a, h1") ?? this.panel).focus({ preventScroll: true });
  }
}

function skip(event: Event, panel: HTMLElement): void {
  event.preventDefault();
  panel.querySelector<HTMLElement>("a, button")?.focus();
}

/** `/` searches, Escape goes back to the alerts. */
function shortcuts(event: KeyboardEvent): void {
  const inField = event.target instanceof Element && event.target.closest("input, select, textarea, dialog") !== null;
  if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") go("/");
  if (event.key === "/") {
    event.preventDefault();
    document.querySelector<HTMLInputElement>(".search-input")?.focus();
  }
}

followLinks();
void begin().catch((error: unknown) => {
  place.replaceChildren(h("main", { class: "login" }, h("p", { class: "notice" }, t("common.failed", { why: String(error) }))));
});
