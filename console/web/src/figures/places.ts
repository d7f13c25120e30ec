// Where right turns are dangerous: turning places on the map and as a list, worst first, in words.

import { get } from "../api";
import { h } from "../dom";
import { civilDay, number } from "../format";
import type { Page } from "../main";
import type { CityMap } from "../map/map";
import type { PlaceMark } from "../map/marks";
import { Question } from "../question";
import { go } from "../router";
import { notice } from "../sentence";
import { tabs } from "./tabs";
import { say, wordOf } from "./words";

const POINT_DEG = 22.5;
const POINTS = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"];
const SHOWN = 100;

interface Counted {
  turns: number;
  base: number;
  conflicts: number;
  unknown: number;
}

interface TurningPlace extends Counted {
  place: string;
  lat: number;
  lon: number;
  heading: string;
  per_1000: number | null;
  lower: number | null;
  upper: number | null;
  p_above: number | null;
  p_worst: number | null;
  band: PlaceMark["band"];
}

interface TurningPlaces {
  from: string;
  to: string;
  fewest_turns: number;
  city_per_1000: number | null;
  prior: "fitted" | "no_difference" | "no_conflict";
  all: Counted;
  undirected: number;
  elsewhere: number;
  unsettled: number;
  quiet_vehicles: number;
  places: TurningPlace[];
}

export class PlacesPage implements Page {
  readonly element = h("article", { class: "page places" });
  private readonly body = h("div", {});
  private looked = false;
  private readonly question = new Question<TurningPlaces>(
    (signal) => get<TurningPlaces>("/places", signal),
    () => this.heard(),
  );

  constructor(
    private readonly chosen: string | null,
    private readonly map: CityMap,
  ) {
    this.element.append(tabs("places"), h("h1", { tabindex: "-1" }, say("places.title")), h("p", { class: "hint" }, say("places.what")), this.body);
    this.question.ask();
    this.heard();
  }

  close(): void {
    this.question.close();
    this.map.showPlaces(null, null, null);
  }

  private heard(): void {
    const found = this.question.value;
    const trouble = notice(this.question.reply);
    this.body.replaceChildren(...(trouble === null ? [] : [trouble]));
    if (found === null) return;
    this.show(found);
    const marks = found.places.map((one) => ({ ...one, code: one.place, courseDeg: POINTS.indexOf(one.heading) * POINT_DEG }));
    this.map.showPlaces(marks, (code) => go(`/places?place=${code}`), this.chosen);
  }

  private show(found: TurningPlaces): void {
    const chosen = found.places.find((one) => one.place === this.chosen);
    if (chosen !== undefined) this.body.append(this.card(chosen, found));
    else if (this.chosen !== null) this.body.append(h("p", { class: "notice" }, say("places.gone")));
    this.body.append(h("p", {}, span(found), " ", city(found)), unknowns(found));
    if (found.places.length === 0) {
      this.body.append(h("p", { class: "notice" }, say("places.none")));
      return;
    }
    const shown = found.places.slice(0, SHOWN);
    this.body.append(h("ul", { class: "place-list" }, ...shown.map((one) => this.row(one))));
    const rest = found.places.length - shown.length;
    if (rest > 0) this.body.append(h("p", { class: "hint" }, say("places.more", { n: number(rest) })));
  }

  private card(one: TurningPlace, found: TurningPlaces): HTMLElement {
    if (!this.looked) this.map.lookAtPlace(one.lat, one.lon);
    this.looked = true;
    const sentences = [counted(one), rate(one, found), one.p_worst === null ? "" : say("places.worst", { p: percent(one.p_worst) })];
    return h(
      "section",
      { class: "place-card" },
      h("a", { class: "link", href: "/places" }, say("places.back")),
      h("h2", {}, title(one)),
      h("p", { class: `place-band is-${one.band}` }, wordOf("band", one.band)),
      ...sentences.filter((text) => text !== "").map((text) => h("p", {}, text)),
      h("p", { class: "hint" }, say("places.code", { code: one.place })),
    );
  }

  private row(one: TurningPlace): HTMLElement {
    const figure = one.per_1000 === null ? say("places.few") : say("places.rate", { rate: number(one.per_1000, 1), lower: number(one.lower ?? 0, 1), upper: number(one.upper ?? 0, 1) });
    return h(
      "li",
      { class: `place-row is-${one.band}` },
      h(
        "a",
        { href: `/places?place=${one.place}`, "aria-current": one.place === this.chosen ? "true" : null },
        h("b", {}, title(one)),
        h("span", { class: "place-band" }, wordOf("band", one.band)),
        h("span", {}, figure),
        h("span", { class: "hint" }, say("places.counts", { turns: number(one.base), conflicts: number(one.conflicts) })),
      ),
    );
  }
}

const title = (one: TurningPlace): string => say("places.name", { heading: wordOf("heading", one.heading), lat: one.lat.toFixed(5), lon: one.lon.toFixed(5) });
/** A probability: what is nearly sure is not said to be sure. */
const percent = (share: number): string => (share > 0.99 ? "> 99 %" : share < 0.01 ? "< 1 %" : `${number(share * 100)} %`).replaceAll(" ", "\u00a0");

function span(found: TurningPlaces): string {
  const last = Date.parse(found.to) - 1;
  return say("places.span", { from: civilDay(Date.parse(found.from)), to: civilDay(last), turns: number(found.all.turns) });
}

function city(found: TurningPlaces): string {
  if (found.city_per_1000 === null) return say("places.city.few");
  const told = say("places.city", { rate: number(found.city_per_1000, 1) });
  return found.prior === "fitted" ? told : `${told} ${wordOf("prior", found.prior)}`;
}

/** What is not in the figures, in a line each: unknown is not safe. */
function unknowns(found: TurningPlaces): HTMLElement | string {
  const said = [
    ["unseen", found.all.unknown],
    ["undirected", found.undirected],
    ["elsewhere", found.elsewhere],
    ["unsettled", found.unsettled],
    ["quiet", found.quiet_vehicles],
  ] as const;
  const lines = said.filter(([, many]) => many > 0).map(([what, many]) => h("li", {}, say(`places.${what}`, { n: number(many) })));
  return lines.length === 0 ? "" : h("ul", { class: "hint place-unknown" }, ...lines);
}

function counted(one: TurningPlace): string {
  return say("places.counted", { turns: number(one.turns), base: number(one.base), conflicts: number(one.conflicts), unknown: number(one.unknown) });
}

function rate(one: TurningPlace, found: TurningPlaces): string {
  if (one.per_1000 === null) return say("places.few.why", { fewest: number(found.fewest_turns) });
  const [rate, lower, upper] = [one.per_1000, one.lower ?? 0, one.upper ?? 0].map((value) => number(value, 1));
  return say("places.rate.why", { rate: rate ?? "", lower: lower ?? "", upper: upper ?? "", p: percent(one.p_above ?? 0) });
}
