// How good the data is: the figures that regulators score, worst units first, and what each terminal needs.

import { get } from "../api";
import { h } from "../dom";
import { civilDay, number } from "../format";
import type { Page } from "../main";
import { Question } from "../question";
import { vehiclePath } from "../router";
import { notice } from "../sentence";
import { tabs } from "./tabs";
import { say, wordOf } from "./words";

const BY = ["company", "county", "model", "vehicle"] as const;
const SHOWN = 100;
/** Figures that are no share of 0 to 1. */
const PLAIN = new Set(["alerts_per_100_km", "speedings_per_vehicle", "fatigue_h_per_vehicle"]);
const UNHEARD = new Set(["never_heard", "silent"]);

interface Figure {
  figure: string;
  value: number | null;
  numerator: number | null;
  denominator: number | null;
  unknown: number;
}

interface Unit {
  unit: string;
  vehicles: number;
  hidden_share: number | null;
  figures: Figure[];
  faults: { fault: string; part: number; whole: number }[];
}

interface Quality {
  from: string;
  to: string;
  units: Unit[];
}

export class QualityPage implements Page {
  readonly element = h("article", { class: "page quality" });
  private readonly body = h("div", {});
  private readonly question = new Question<Quality>(
    (signal) => get<Quality>(`/quality?by=${this.by}`, signal),
    () => this.heard(),
  );
  private readonly by: string;

  constructor(by: string) {
    this.by = BY.find((one) => one === by) ?? "company";
    const choices = BY.map((one) => h("a", { href: `/quality?by=${one}`, "aria-current": one === this.by ? "true" : null }, wordOf("by", one)));
    this.element.append(tabs("quality"), h("h1", { tabindex: "-1" }, say("quality.title")), h("p", { class: "hint" }, say("quality.what")), h("nav", { class: "figure-tabs" }, ...choices), this.body);
    this.question.ask();
    this.heard();
  }

  close(): void {
    this.question.close();
  }

  private heard(): void {
    const found = this.question.value;
    const trouble = notice(this.question.reply);
    this.body.replaceChildren(...(trouble === null ? [] : [trouble]));
    if (found === null) return;
    this.body.append(h("p", {}, say("quality.span", { from: civilDay(Date.parse(found.from)), to: civilDay(Date.parse(found.to) - 1) })));
    if (found.units.length === 0) this.body.append(h("p", { class: "notice" }, say("quality.none")));
    this.body.append(...found.units.slice(0, SHOWN).map((unit) => this.unit(unit)));
    const rest = found.units.length - SHOWN;
    if (rest > 0) this.body.append(h("p", { class: "hint" }, say("quality.more", { n: number(rest) })));
  }

  private unit(unit: Unit): HTMLElement {
    const name = unit.unit === "" ? say("quality.unnamed") : unit.unit;
    const isVehicle = this.by === "vehicle";
    return h(
      "section",
      { class: "quality-unit" },
      h("h2", {}, isVehicle ? h("a", { href: vehiclePath(unit.unit) }, name) : name, !isVehicle && h("span", { class: "hint" }, say("quality.vehicles", { n: number(unit.vehicles) }))),
      unit.faults.length > 0 && h("ul", { class: "quality-faults" }, ...unit.faults.map(fault)),
      isVehicle && unit.faults.length === 0 && h("p", { class: "hint" }, say("quality.no_fault")),
      // Of a vehicle that was not heard no figure is known: ten lines would say it less well than the fault does.
      !unit.faults.some((one) => UNHEARD.has(one.fault)) && h("dl", { class: "quality-figures" }, ...unit.figures.flatMap(figure)),
    );
  }
}

/** A fault, and what to do about it. */
function fault({ fault: what, part, whole }: Unit["faults"][number]): HTMLElement {
  const many = whole > 0 && whole !== part ? say("quality.part", { part: number(part), whole: number(whole) }) : "";
  return h("li", {}, h("b", {}, wordOf("fault", what)), " ", many, h("span", { class: "quality-todo" }, wordOf("todo", what)));
}

function figure(one: Figure): HTMLElement[] {
  const counted = (value: number | null): string => (value === null ? say("quality.not_recorded") : number(value, value % 1 === 0 ? 0 : 1));
  const made = say("quality.made", { numerator: counted(one.numerator), denominator: counted(one.denominator) });
  const unknown = one.unknown > 0 ? say("quality.unknown", { n: number(one.unknown) }) : "";
  return [
    h("dt", {}, wordOf("figure", one.figure)),
    h("dd", {}, h("b", {}, told(one)), h("span", { class: "hint" }, `${made}${unknown}`)),
  ];
}

function told({ figure: name, value }: Figure): string {
  if (value === null) return say("quality.not_known");
  return PLAIN.has(name) ? number(value, 2) : `${number(value * 100, 1)} %`;
}
