// One accident: what is known, how it counts, what its vehicles recorded, and every account of it.

import { get } from "../api";
import { h, icon } from "../dom";
import { civilDay, duration, fullTime, number } from "../format";
import { word } from "../i18n";
import type { Page } from "../main";
import { Question } from "../question";
import { accidentPath, vehiclePath } from "../router";
import { notice } from "../sentence";
import type { Surroundings } from "../views/accidents";
import { type Accident, type Casualty, type Evidence, type EvidenceSummary, labelOf, type VehicleOf, type Version } from "./api";
import { scopes } from "./list";
import { coded, people, say, when, wordOf } from "./words";

const CODED = ["road_class", "weather", "lighting", "form"] as const;
const SEVERITIES = ["three", "493", "1991", "uk"];
const UNKNOWN = (): string => say("evidence.unknown");

export class AccidentPage implements Page {
  readonly element = h("article", { class: "page accident" });
  private readonly says = h("div", {});
  private readonly body = h("div", {});
  private readonly question: Question<Accident>;

  constructor(
    private readonly code: string,
    private readonly asOf: string | null,
    private readonly around: Surroundings,
  ) {
    const query = asOf === null ? "" : `?as_of=${encodeURIComponent(asOf)}`;
    this.question = new Question(
      (signal) => get<Accident>(`/accidents/${code}${query}`, signal),
      () => this.heard(),
    );
    this.element.append(backLink(), this.says, this.body);
    this.question.ask();
    this.heard();
  }

  close(): void {
    this.question.close();
    this.around.map.showTrack(null, false);
  }

  private heard(): void {
    const trouble = notice(this.question.reply, say("page.not_found"));
    const past =
      this.asOf === null || Number.isNaN(Date.parse(this.asOf))
        ? null
        : h("p", { class: "notice" }, say("list.as_of.note", { time: fullTime(Date.parse(this.asOf)) }), " ", h("a", { href: accidentPath(this.code) }, say("list.as_of.now")));
    this.says.replaceChildren(...[past, trouble].filter((part) => part !== null));
    const found = this.question.value;
    if (found === null) return;
    this.body.replaceChildren(
      head(found),
      toll(found),
      this.buttons(found),
      h("h2", {}, say("page.facts")),
      facts(found),
      h("h2", {}, say("page.vehicles")),
      h("ul", { class: "accident-parties" }, ...found.vehicles.map((one) => vehicle(one, found.occurred))),
      h("h2", {}, say("page.casualties")),
      casualties(found),
      h("h2", {}, say("evidence.title")),
      ...evidence(found),
      h("h2", {}, say("page.versions")),
      h("p", { class: "hint" }, say("page.versions.hint")),
      h("ol", { class: "steps" }, ...[...found.versions].reverse().map((one) => version(one, this.code))),
    );
    const { position } = found;
    if (position === null) return;
    const spots = [{ place: [position.lat, position.lon] as const, severity: found.deaths_7d[0] > 0 ? 4 : 3 }];
    this.around.map.showTrack({ line: [], marked: [], spots }, true);
  }

  private buttons(found: Accident): HTMLElement | string {
    if (!this.around.session.may_act || this.asOf !== null || found.status === "withdrawn") return "";
    return h("p", { class: "page-buttons" }, h("a", { class: "button", href: `${accidentPath(this.code)}/correction` }, say("page.correct")));
  }
}

export function backLink(): HTMLElement {
  return h("a", { class: "back", href: "/accidents" }, icon("M15 5l-7 7 7 7"), say("list.back"));
}

function head(one: Accident): HTMLElement {
  const where = [one.county, one.place].filter(Boolean).join(" ");
  return h(
    "header",
    { class: "page-head" },
    h("div", {}, h("h1", { tabindex: "-1" }, when(one.occurred)), h("p", { class: "page-sub" }, where), h("p", { class: "page-sub" }, `${say("page.number")} ${one.code}`)),
    h("div", { class: "accident-tags" }, h("span", { class: "tag" }, wordOf("status", one.status)), h("span", { class: "accident-scopes" }, ...scopes(one))),
  );
}

function toll(one: Accident): HTMLElement {
  const figure = (label: string, value: string): HTMLElement => h("div", { class: "figure" }, h("dt", {}, label), h("dd", {}, value));
  const merged = one.merged_into;
  return h(
    "div",
    {},
    merged !== null && h("p", { class: "notice" }, say("page.merged", { code: merged }), " ", h("a", { href: accidentPath(merged) }, merged)),
    merged === null && one.status === "withdrawn" && h("p", { class: "notice" }, say("page.withdrawn")),
    h(
      "dl",
      { class: "figures" },
      figure(say("people.days_7"), people(one.deaths_7d)),
      people(one.deaths_30d) !== people(one.deaths_7d) && figure(say("people.days_30"), people(one.deaths_30d)),
      figure(say("people.serious"), people(one.serious)),
      figure(say("people.light"), people(one.light)),
    ),
    !one.casualties_known && h("p", { class: "hint" }, say("people.unknown")),
  );
}

function facts(one: Accident): HTMLElement {
  const rows: [string, string][] = [[say("fact.reporter"), wordOf("reporter", one.reporter)]];
  rows.push([say("fact.police_handled"), say(one.police_handled ? "common.yes" : "common.no")]);
  for (const name of ["police_no", "claim_no"] as const) if (one[name] !== null) rows.push([say(`fact.${name}`), one[name]]);
  for (const name of CODED) if (one[name] !== null) rows.push([say(`fact.${name}`), coded(one[name])]);
  if (one.loss_yuan !== null) rows.push([say("fact.loss_yuan"), number(one.loss_yuan)]);
  for (const name of SEVERITIES) {
    const found = one.severity[name];
    if (!found) continue;
    const label = labelOf(found);
    rows.push([wordOf("severity", name), found.certain ? label : say("page.severity.least", { class: label })]);
  }
  return details(rows);
}

function details(rows: (readonly [string, Node | string])[]): HTMLElement {
  return h("dl", { class: "details" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function vehicle(one: VehicleOf, occurred: string): HTMLElement {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(occurred) ? occurred : civilDay(Date.parse(occurred));
  const name =
    one.vehicle !== null
      ? h("a", { href: vehiclePath(one.vehicle, day) }, one.vehicle)
      : h("b", {}, one.is_fleet ? (one.plate ?? say("form.vehicle.unregistered")) : say("form.vehicle.other"));
  const rest = [
    one.kind === null ? "" : word("kind", one.kind),
    one.is_fleet ? one.company || say("company.unknown") : "",
    one.manoeuvre === null ? "" : coded(one.manoeuvre),
    one.responsibility === null ? "" : wordOf("share", one.responsibility),
  ];
  return h("li", {}, name, h("span", {}, rest.filter((part) => part !== "").join(" · ")));
}

function casualties(one: Accident): HTMLElement {
  if (one.casualties.length === 0) return h("p", {}, say(one.casualties_known ? "page.casualties.none" : "page.casualties.unknown"));
  return h("ul", { class: "accident-parties" }, ...one.casualties.map((each) => h("li", {}, h("b", {}, wordOf("injury", each.injury)), h("span", {}, [wordOf("role", each.role), death(each)].filter(Boolean).join(" · ")))));
}

function death(each: Casualty): string {
  if (each.died !== null) return say("page.died", { when: when(each.died) });
  return each.died_within_days === null ? "" : say("page.died_within", { n: each.died_within_days });
}

// ---------------------------------------------------------------- evidence

function evidence(one: Accident): HTMLElement[] {
  if (one.evidence.length === 0) return [h("p", { class: "notice" }, say("evidence.none"))];
  return one.evidence.map((each) => recorded(each, one.code));
}

function recorded(each: Evidence, code: string): HTMLElement {
  const drawing = `/api/v1/accidents/${code}/evidence/${each.evidence_id}/drawing`;
  return h(
    "section",
    { class: "accident-evidence", "aria-label": each.vehicle },
    h("h3", {}, each.vehicle),
    each.has_drawing && h("a", { href: drawing, target: "_blank" }, h("img", { src: drawing, alt: say("evidence.drawing", { vehicle: each.vehicle }), width: "420", height: "452" })),
    each.summary.is_exact ? details(figures(each.summary)) : h("p", { class: "hint" }, say("evidence.day_only")),
    h("p", { class: "hint" }, say("evidence.made", { time: fullTime(Date.parse(each.made_at)), n: number(each.summary.fixes) })),
    h("p", { class: "hint accident-seal" }, say("evidence.seal", { hash: each.sha256 })),
  );
}

function figures(one: EvidenceSummary): (readonly [string, string])[] {
  const kmh = (value: number | null): string => (value === null ? UNKNOWN() : `${number(value, 1)} km/h`);
  const turn =
    one.turn === "right_turn" ? say("evidence.turn.right_turn", { kmh: one.turn_kmh ?? UNKNOWN() }) : one.turn === "none" ? say("evidence.turn.none") : UNKNOWN();
  const alarms = one.alarms.map((each) => say("evidence.alarm", { rule: word("rule", each.rule), before: duration(each.before_s) }));
  const duty = { driven: one.driven_24h_h ?? "", since: one.driven_since_rest_h ?? "", unseen: one.unseen_24h_h ?? "" };
  return [
    [say("evidence.speed"), kmh(one.speed_kmh)],
    [say("evidence.top"), kmh(one.top_kmh_60s)],
    [say("evidence.turn"), turn],
    ...(one.turn_stop === null ? [] : [[say("evidence.stop"), wordOf("evidence.stop", one.turn_stop)] as const]),
    [say("evidence.alarms"), alarms.join(", ") || say("evidence.alarms.none")],
    [say("evidence.interval"), one.fix_interval_s === null ? UNKNOWN() : say("evidence.interval.value", { median: one.fix_interval_s, longest: one.longest_gap_s ?? "" })],
    [say("evidence.camera"), one.camera === null ? UNKNOWN() : wordOf("evidence.camera", one.camera)],
    [say("evidence.driver"), one.driver ?? UNKNOWN()],
    [say("evidence.duty"), one.driven_24h_h === null ? UNKNOWN() : say("evidence.duty.value", duty)],
  ];
}

// ---------------------------------------------------------------- versions

function version(one: Version, code: string): HTMLElement {
  const changes = one.changes.map((name) => wordOf("fact", name));
  const said = [changes.length > 0 && say("page.version.changes", { facts: changes.join(", ") }), one.why, one.merged_into && say("page.merged", { code: one.merged_into })];
  return h(
    "li",
    { class: "step" },
    h("time", { datetime: one.recorded_at }, fullTime(Date.parse(one.recorded_at))),
    h("span", {}, h("b", {}, one.who), ` ${say("page.version", { n: one.version })} · ${wordOf("reason", one.reason)}`),
    h(
      "div",
      {},
      ...said.filter(Boolean).map((part) => h("p", {}, part as string)),
      one.known_from !== one.recorded_at && h("p", {}, say("page.version.known", { time: fullTime(Date.parse(one.known_from)) })),
      h("a", { href: accidentPath(code, one.recorded_at) }, say("page.version.as_of")),
    ),
  );
}
