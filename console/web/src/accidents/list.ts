// The ledger as a list: accidents as known at any time, with what they were and how they count.

import { get } from "../api";
import { h } from "../dom";
import { fullTime, number } from "../format";
import type { Page } from "../main";
import { Question } from "../question";
import { accidentPath, go } from "../router";
import { notice } from "../sentence";
import type { Surroundings } from "../views/accidents";
import type { AccidentPage, Codes, Summary } from "./api";
import { people, say, whenShort, wordOf } from "./words";

const PER_PAGE = 50;
/** What can be asked for, as the address and the API name it. */
const FILTERS = ["from", "to", "county", "company", "scope", "withdrawn", "as_of"] as const;

export class ListPage implements Page {
  readonly element = h("article", { class: "page accidents" });
  private readonly says = h("div", {});
  private readonly list = h("ul", { class: "accident-list" });
  private readonly count = h("span", { class: "hint" });
  private readonly more = h("button", { type: "button", class: "button queue-more", hidden: true, onclick: () => this.readOn() }, say("list.more"));
  private readonly asked: URLSearchParams;
  private readonly county: HTMLSelectElement;
  /** Names by code, as far as they are known. */
  private readonly companies: Map<string, string>;
  private items: Summary[] = [];
  private next: string | null = null;
  private asOf = "";
  private readonly page = new Question(
    (signal) => get<AccidentPage>(`/accidents?${this.query()}`, signal),
    () => this.heard(),
  );
  private readonly codes = new Question(
    (signal) => get<Codes>("/accident-codes", signal),
    () => this.nameCounties(),
  );

  constructor(
    query: string,
    private readonly around: Surroundings,
  ) {
    this.asked = new URLSearchParams(query);
    this.companies = new Map(around.vehicles.facts.map((facts) => [facts.company, facts.companyName || facts.company]));
    this.county = this.select("county", say("list.county"), []);
    this.element.append(
      h(
        "header",
        { class: "accidents-head" },
        h("h1", { tabindex: "-1" }, say("list.title")),
        this.count,
        around.session.may_act && h("a", { class: "button button-main", href: "/accident-entry" }, say("list.enter")),
      ),
      this.filters(),
      this.says,
      this.list,
      this.more,
    );
    this.page.ask();
    this.codes.ask();
    this.heard();
  }

  close(): void {
    this.page.close();
    this.codes.close();
    this.around.map.showTrack(null, false);
  }

  // ---------------------------------------------------------------- what is asked for

  private filters(): HTMLElement {
    const asked = this.asked.get("company");
    if (asked !== null && !this.companies.has(asked)) this.companies.set(asked, asked);
    const byName = [...this.companies].sort((a, b) => a[1].localeCompare(b[1]));
    const scopes = ["A1", "A2", "A3"].map((scope): [string, string] => [scope, wordOf("scope", scope)]);
    const withdrawn = h("input", { type: "checkbox", checked: this.asked.get("withdrawn") === "true", onchange: () => this.choose("withdrawn", withdrawn.checked ? "true" : "") });
    return h(
      "form",
      { class: "accident-filters", role: "search", "aria-label": say("list.title"), onsubmit: (event: Event) => event.preventDefault() },
      this.field(say("list.from"), this.day("from")),
      this.field(say("list.to"), this.day("to")),
      this.field(say("list.county"), this.county),
      this.field(say("list.company"), this.select("company", say("list.company"), byName)),
      this.field(say("list.scope"), this.select("scope", say("list.scope"), scopes)),
      this.field(say("list.as_of"), this.moment()),
      h("label", { class: "accident-check" }, withdrawn, say("list.withdrawn")),
    );
  }

  private field(label: string, input: HTMLElement): HTMLElement {
    return h("label", { class: "field" }, h("span", {}, label), input);
  }

  private day(name: "from" | "to"): HTMLInputElement {
    const input = h("input", { type: "date", class: "input", value: this.asked.get(name) ?? "", onchange: () => this.choose(name, input.value) });
    return input;
  }

  private select(name: "county" | "company" | "scope", label: string, choices: [string, string][]): HTMLSelectElement {
    const select = h("select", { class: "select", "aria-label": label, onchange: () => this.choose(name, select.value) });
    fill(select, choices, this.asked.get(name) ?? "");
    return select;
  }

  /** The time in Beijing up to which what was recorded is shown. */
  private moment(): HTMLInputElement {
    const asked = this.asked.get("as_of");
    const value = asked === null ? "" : new Date(Date.parse(asked) + 8 * 3_600_000).toISOString().slice(0, 16);
    const input = h("input", {
      type: "datetime-local",
      class: "input",
      value,
      onchange: () => this.choose("as_of", input.value === "" ? "" : `${input.value}:00+08:00`),
    });
    return input;
  }

  private nameCounties(): void {
    const found = this.codes.value?.counties ?? [];
    fill(this.county, found.map((name): [string, string] => [name, name]), this.asked.get("county") ?? "");
  }

  private choose(name: (typeof FILTERS)[number], value: string): void {
    if (value === "") this.asked.delete(name);
    else this.asked.set(name, value);
    const query = this.asked.toString();
    go(`/accidents${query === "" ? "" : `?${query}`}`);
  }

  private query(): string {
    const query = new URLSearchParams([["limit", String(PER_PAGE)]]);
    for (const name of FILTERS) {
      const value = this.asked.get(name);
      if (value !== null) query.set(name, value);
    }
    if (this.next !== null) {
      query.set("after", this.next);
      query.set("as_of", this.asOf);
    }
    return query.toString();
  }

  private readOn(): void {
    this.more.disabled = true;
    this.page.ask();
  }

  // ---------------------------------------------------------------- what there is

  private heard(): void {
    const trouble = notice(this.page.reply);
    const asOf = this.asked.get("as_of");
    const past =
      asOf === null
        ? null
        : h("p", { class: "notice" }, say("list.as_of.note", { time: fullTime(Date.parse(asOf)) }), " ", h("a", { href: "/accidents" }, say("list.as_of.now")));
    this.says.replaceChildren(...[past, trouble].filter((part) => part !== null));
    const page = this.page.value;
    if (page === null || trouble !== null) return;
    this.items = [...this.items, ...page.items];
    [this.next, this.asOf] = [page.next, page.as_of];
    this.count.textContent = say("list.count", { n: number(page.total), all: number(page.recorded) });
    this.more.hidden = page.next === null;
    this.more.disabled = false;
    if (this.items.length === 0) this.says.append(h("p", { class: "notice" }, say(page.recorded === 0 ? "list.empty" : "list.filtered")));
    this.list.append(...page.items.map((one) => this.row(one)));
    const spots = this.items.flatMap(({ position, deaths_7d }) =>
      position === null ? [] : [{ place: [position.lat, position.lon] as const, severity: deaths_7d[0] > 0 ? 4 : 3 }],
    );
    this.around.map.showTrack(spots.length > 0 ? { line: [], marked: [], spots } : null, false);
  }

  private row(one: Summary): HTMLElement {
    const where = [one.county, one.place].filter(Boolean).join(" ");
    const asOf = this.asked.get("as_of") ?? undefined;
    return h(
      "li",
      { class: `accident-row${one.deaths_7d[0] > 0 ? " is-fatal" : ""}` },
      h(
        "a",
        { href: accidentPath(one.code, asOf) },
        h("span", { class: "accident-when" }, whenShort(one.occurred)),
        h("span", { class: "tag" }, wordOf("status", one.status)),
        h("span", { class: "accident-where" }, where === "" ? one.code : where),
        h("span", { class: "accident-people" }, say("people.short", { dead: people(one.deaths_7d), serious: people(one.serious), light: people(one.light) })),
        h("span", { class: "accident-scopes" }, ...scopes(one)),
        h("span", { class: "accident-whose" }, one.companies.map((code) => this.companies.get(code) ?? (code || say("company.unknown"))).join(" · ")),
      ),
    );
  }
}

function fill(select: HTMLSelectElement, choices: [string, string][], value: string): void {
  const all = choices.some(([code]) => code === value) || value === "" ? choices : [...choices, [value, value] as [string, string]];
  select.replaceChildren(h("option", { value: "" }, say("list.any")), ...all.map(([code, name]) => h("option", { value: code }, name)));
  select.value = value;
}

/** The scopes that it is in; one that is undecided says so. */
export function scopes(one: Summary): HTMLElement[] {
  return Object.entries(one.scopes)
    .filter(([, answer]) => answer !== false)
    .map(([scope, answer]) =>
      h("span", { class: "scope", title: `${wordOf("scope", scope)}${answer === null ? ` (${say("scope.undecided")})` : ""}` }, `${scope}${answer === null ? "?" : ""}`),
    );
}
