// The page of the console.

import "leaflet/dist/leaflet.css";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/layout.css";
import "./style/parts.css";
import "./style/handling.css";
import "./style/print.css";
import "./style/notices.css";
import "./style/accidents.css";
import "./style/figures.css";
import { type About, get, Problem, type Session, whenLoggedOut } from "./api";
import { Notices, Sound } from "./alarm";
import { Alerts } from "./alerts";
import { Announcer } from "./announcer";
import { Attention } from "./attention";
import { tellTimeBy } from "./clock";
import { h } from "./dom";
import { Health } from "./health";
import { language, t } from "./i18n";
import { Live } from "./live";
import { CityMap, datumOf } from "./map/map";
import { printable } from "./printing";
import { askAgain, Question } from "./question";
import { followLinks, go, type Route, route, whenRouteChanges } from "./router";
import { notice, sentence } from "./sentence";
import * as theme from "./theme";
import { Vehicles } from "./vehicles";
import { AccidentDoor } from "./views/accidents";
import { AlertPage } from "./views/alert";
import { FiguresDoor } from "./views/figures";
import { GapStrip } from "./views/gaps";
import { login } from "./views/login";
import { type Place, Queue, TOP } from "./views/queue";
import { Strips } from "./views/strips";
import { TopBar } from "./views/top";
import { UnknownPage } from "./views/unknown";
import { VehiclePage } from "./views/vehicle";
import { Worklist } from "./worklist";

const place = document.getElementById("app") ?? document.body;

async function begin(): Promise<void> {
  theme.show();
  document.documentElement.lang = language;
  document.title = t("app.title");
  addEventListener("online", askAgain);
  const reload = (): void => location.reload();
  try {
    const session = await needed<Session>("/session");
    if (session.must_change_password) login(place, reload, session);
    else {
      whenLoggedOut(reload);
      open(session, await needed<About>("/about"));
    }
  } catch (error) {
    if (error instanceof Problem && error.kind === "login-required") login(place, reload);
    else throw error;
  }
}

/** Return what the page cannot begin without; until it is there, say why. Rejects if the server will not have it. */
function needed<T>(path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const question = new Question<T>(
      (signal) => get<T>(path, signal),
      (reply) => {
        if (reply.is === "ready") resolve(reply.value);
        else if (reply.is === "refused") reject(reply.why);
        else showAlone(notice(reply));
      },
    );
    question.ask();
  });
}

function showAlone(element: HTMLElement | null): void {
  const logo = h("img", { src: "/assets/icon.svg", alt: "", width: "44", height: "44" });
  place.replaceChildren(h("main", { class: "login" }, h("div", { class: "login-form" }, logo, h("h1", {}, t("app.title")), element)));
}

/** What the pages are made of. */
interface Parts {
  session: Session;
  vehicles: Vehicles;
  alerts: Alerts;
  worklist: Worklist;
  health: Health;
  attention: Attention;
  map: CityMap;
  /** Where in the queue somebody was. */
  queuePlace: Place;
}

/** Build the page and keep it alive until it is left. */
function open(session: Session, about: About): void {
  const vehicles = new Vehicles(datumOf(about));
  vehicles.setNow(Date.parse(about.now));
  tellTimeBy(() => vehicles.now());
  const alerts = new Alerts();
  const worklist = new Worklist(alerts);
  const health = new Health(alerts, worklist, vehicles);
  const attention = new Attention(alerts);
  const announcer = new Announcer();
  const alarm = { sound: new Sound(), notices: new Notices() };
  const strips = new Strips(health, attention, vehicles);
  const mapPlace = h("div", { class: "map", role: "application", "aria-label": t("app.map"), tabindex: "0" });
  const panel = h("main", { class: "panel", id: "panel", "aria-label": t("app.panel") });
  const top = new TopBar(vehicles, health, about, session, alarm, () => location.reload(), (text) => strips.say(text));
  place.replaceChildren(
    h("a", { class: "skip", href: "#panel", onclick: (event: Event) => skip(event, panel) }, t("app.skip")),
    top.element,
    strips.element,
    new GapStrip().element,
    h("div", { class: "body" }, mapPlace, panel),
    ...announcer.elements,
  );
  const map = new CityMap(mapPlace, about, vehicles, alerts, health, (code) => go(`/vehicles/${code}`));
  place.append(printable(map, session.name, () => vehicles.now()));
  const parts = { session, vehicles, alerts, worklist, health, attention, map, queuePlace: { ...TOP } };
  const pages = new Pages(panel, (wanted) => makePage(wanted, parts));
  attention.whenChanged((added) => {
    if (added.length > 0) alarm.sound.play();
    for (const alert of added) alarm.notices.show(alert);
    announcer.take(added);
  });
  alerts.whenChanged((_, fresh) => announcer.take(fresh));
  const tick = (): void => top.tick(map.tally());
  health.whenChanged(tick);
  setInterval(tick, 1000);

  let isRead = false;
  const read = (): void => {
    isRead = true;
    alerts.read();
    worklist.read();
  };
  const live = new Live({
    state: (state) => {
      health.setStream(state);
      if (state === "live") askAgain();
      // What is stored can be shown without the stream.
      if (state === "lost" && !isRead) read();
    },
    vehicles: (registered) => vehicles.register(registered),
    positions: (positions) => {
      vehicles.take(positions);
      map.update();
    },
    entries: (entries) => alerts.take(entries),
    age: (age) => health.setAge(age),
    resync: read,
    // Who has to log in is sent there.
    ended: () => void get<Session>("/session").catch(() => undefined),
  });
  live.start();
  pages.show();
  addEventListener("keydown", (event) => shortcuts(event, pages));
}

export interface Page {
  readonly element: HTMLElement;
  close(): void;
  /** Put the keyboard where people go on. */
  focus?(): void;
  /** Return whether a key meant something here. */
  key?(event: KeyboardEvent): boolean;
}

function makePage(wanted: Route, parts: Parts): Page {
  const { session, vehicles, alerts, worklist, health, attention, map, queuePlace } = parts;
  attention.watch(wanted.page === "alert" ? wanted.id : null);
  switch (wanted.page) {
    case "alert":
      queuePlace.alert = wanted.id;
      return new AlertPage(wanted.id, alerts, worklist, vehicles, health, map, session.may_act);
    case "vehicle":
      return new VehiclePage(wanted.code, wanted.day, vehicles, health, map);
    case "queue":
      return new Queue(worklist, alerts, vehicles, health, queuePlace);
    case "accidents":
    case "accident":
    case "accident-entry":
      return new AccidentDoor(wanted, { session, vehicles, health, map });
    case "places":
    case "quality":
      return new FiguresDoor(wanted, map);
    case "unknown":
      return new UnknownPage();
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
    if (!moved) return;
    if (this.page.focus) this.page.focus();
    else (this.page.element.querySelector<HTMLElement>("a, h1") ?? this.panel).focus({ preventScroll: true });
  }

  key(event: KeyboardEvent): boolean {
    return this.page?.key?.(event) ?? false;
  }
}

function skip(event: Event, panel: HTMLElement): void {
  event.preventDefault();
  panel.querySelector<HTMLElement>("a, button")?.focus();
}

/** `/` searches, Escape goes back to the alerts; the page that is open may know more keys. */
function shortcuts(event: KeyboardEvent, pages: Pages): void {
  const inField = event.target instanceof Element && event.target.closest("input, select, textarea, dialog") !== null;
  if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
  if (pages.key(event)) event.preventDefault();
  else if (event.key === "Escape") go("/");
  else if (event.key === "/") {
    event.preventDefault();
    document.querySelector<HTMLInputElement>(".search-input")?.focus();
  }
}

followLinks();
void begin().catch((error: unknown) => showAlone(h("p", { class: "notice is-failed" }, sentence(error))));
