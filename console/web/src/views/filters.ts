// What the queue is of: severity, what goes on, state, rule, company, vehicle. The server is asked for it.

import { badge, severityWord } from "../badge";
import { h } from "../dom";
import { t, word } from "../i18n";
import { RULES } from "../rules";
import { type Vehicles } from "../vehicles";
import { EVERYTHING, type Filter, isEverything } from "../worklist";

const SUGGESTIONS = 8;
/** States that can be asked for together. */
const STATES = ["open,acknowledged", "open", "acknowledged", "resolved"];

export class Filters {
  /** What is always there, and what is there when asked for. */
  readonly always: HTMLElement[];
  readonly further: HTMLElement;
  private readonly severities: HTMLElement[];
  private readonly ongoing: HTMLButtonElement;
  private readonly opener: HTMLButtonElement;
  private readonly reset: HTMLButtonElement;
  private readonly state = this.select(t("queue.state"), (value) => ({ states: value.split(",") as Filter["states"] }));
  private readonly rule = this.select(t("queue.rule"), (rule) => ({ rule }));
  private readonly company = this.select(t("queue.company"), (company) => ({ company }));
  private readonly codes = h("datalist", { id: "vehicle-codes" });
  private readonly vehicle = h("input", {
    type: "search",
    class: "input filter-vehicle",
    list: "vehicle-codes",
    placeholder: t("queue.vehicle"),
    "aria-label": t("queue.vehicle.label"),
    autocomplete: "off",
  });

  constructor(
    private filter: Filter,
    private readonly vehicles: Vehicles,
    private readonly changed: (filter: Filter) => void,
  ) {
    this.severities = [1, 2, 3, 4].map((severity) => this.severityChip(severity));
    this.ongoing = h(
      "button",
      { type: "button", class: "chip chip-ongoing", onclick: () => this.choose({ ongoing: !this.filter.ongoing }) },
      h("span", { class: "pulse", "aria-hidden": "true" }),
      t("queue.ongoing"),
    );
    this.opener = h(
      "button",
      { type: "button", class: "button filter-opener", "aria-expanded": "false", onclick: () => this.open(!this.further.classList.contains("is-open")) },
      t("queue.filter"),
    );
    this.reset = h("button", { type: "button", class: "link", onclick: () => this.choose(EVERYTHING) }, t("queue.filter.reset"));
    this.vehicle.addEventListener("input", () => this.suggest());
    this.vehicle.addEventListener("change", () => this.chooseVehicle());
    this.always = [
      h("div", { class: "chips", role: "group", "aria-label": t("queue.severity") }, ...this.severities),
      this.ongoing,
      this.opener,
    ];
    this.further = h("div", { class: "filters" }, this.state, this.rule, this.company, this.vehicle, this.codes, this.reset);
    this.nameChoices();
    this.open(!isEverything(this.filter));
  }

  /** It is known now which companies there are. */
  nameChoices(): void {
    const companies = new Map(this.vehicles.facts.map((facts) => [facts.company, facts.companyName || facts.company]));
    if (this.filter.company !== "" && !companies.has(this.filter.company)) companies.set(this.filter.company, this.filter.company);
    const byName = [...companies].sort((a, b) => a[1].localeCompare(b[1]));
    fill(this.company, [["", t("queue.company.any")], ...byName]);
    this.company.hidden = companies.size < 2;
    this.vehicle.disabled = !this.vehicles.isKnown;
    fill(this.rule, [["", t("queue.rule.any")], ...RULES.map((rule): [string, string] => [rule, word("rule", rule)])]);
    fill(this.state, STATES.map((states) => [states, states.includes(",") ? t("queue.state.unfinished") : word("state", states)]));
    this.show();
  }

  private select(label: string, change: (value: string) => Partial<Filter>): HTMLSelectElement {
    const select = h("select", { class: "select", "aria-label": label, onchange: () => this.choose(change(select.value)) });
    return select;
  }

  private severityChip(severity: number): HTMLElement {
    return h(
      "button",
      {
        type: "button",
        class: "chip",
        "data-severity": severity,
        title: severity > 1 && severity < 4 ? t("queue.and_worse", { severity: severityWord(severity) }) : null,
        onclick: () => this.choose({ minSeverity: severity }),
      },
      ...(severity === 1 ? [t("queue.any")] : [badge(severity), severityWord(severity), severity < 4 ? "+" : null]),
    );
  }

  private choose(change: Partial<Filter>): void {
    this.filter = { ...this.filter, ...change };
    this.show();
    this.changed(this.filter);
  }

  private suggest(): void {
    this.vehicle.setCustomValidity("");
    const found = this.vehicles.search(this.vehicle.value, SUGGESTIONS);
    this.codes.replaceChildren(...found.map((facts) => h("option", { value: facts.code }, `${facts.plate} ${facts.companyName}`)));
    if (this.vehicle.value === "" && this.filter.vehicle !== "") this.choose({ vehicle: "" });
  }

  /** A code or a plate will do; whatever else was typed is of no vehicle, and says so. */
  private chooseVehicle(): void {
    const typed = this.vehicle.value.trim();
    const found = this.vehicles.facts.find((facts) => facts.code === typed || facts.plate === typed);
    this.vehicle.setCustomValidity(typed === "" || found !== undefined ? "" : t("app.search.none"));
    if (!this.vehicle.reportValidity()) return;
    const vehicle = found?.code ?? "";
    if (vehicle !== this.filter.vehicle) this.choose({ vehicle });
  }

  private open(isOpen: boolean): void {
    this.further.classList.toggle("is-open", isOpen);
    this.opener.setAttribute("aria-expanded", String(isOpen));
  }

  private show(): void {
    const { filter } = this;
    for (const chip of this.severities)
      chip.setAttribute("aria-pressed", String(chip.getAttribute("data-severity") === String(filter.minSeverity)));
    this.ongoing.setAttribute("aria-pressed", String(filter.ongoing));
    this.state.value = filter.states.join(",");
    this.rule.value = filter.rule;
    this.company.value = filter.company;
    if (this.vehicle !== document.activeElement || filter.vehicle !== "") this.vehicle.value = filter.vehicle;
    const isFiltered = !isEverything(filter);
    this.reset.hidden = !isFiltered;
    this.opener.classList.toggle("is-on", isFiltered);
  }
}

function fill(select: HTMLSelectElement, choices: (readonly [value: string, name: string])[]): void {
  const present = [...select.options].map((option) => `${option.value} ${option.text}`);
  if (choices.map(([value, name]) => `${value} ${name}`).join() === present.join()) return;
  const { value } = select;
  select.replaceChildren(...choices.map(([code, name]) => h("option", { value: code }, name)));
  select.value = value;
}
