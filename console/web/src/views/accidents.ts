// The door to the pages of the ledger: their code and texts are loaded when one of them is opened.

import type { Session } from "../api";
import { h } from "../dom";
import type { Health } from "../health";
import { t } from "../i18n";
import type { Page } from "../main";
import type { CityMap } from "../map/map";
import type { AccidentRoute } from "../router";
import { notice } from "../sentence";
import { Question } from "../question";
import type { Vehicles } from "../vehicles";

/** What the pages of the ledger need of the rest. */
export interface Surroundings {
  session: Session;
  vehicles: Vehicles;
  health: Health;
  map: CityMap;
}

type Pages = typeof import("../accidents/pages");

export class AccidentDoor implements Page {
  readonly element = h("div", { class: "accident-door" });
  private page: Page | null = null;
  private readonly code = new Question<Pages>(
    () => import("../accidents/pages"),
    () => this.heard(),
  );

  constructor(
    private readonly wanted: AccidentRoute,
    private readonly around: Surroundings,
  ) {
    this.code.ask();
    this.heard();
  }

  close(): void {
    this.code.close();
    this.page?.close();
  }

  private heard(): void {
    const pages = this.code.value;
    if (pages === null || this.page !== null) {
      this.element.replaceChildren(h("article", { class: "page" }, h("h1", { tabindex: "-1" }, t("app.nav.accidents")), notice(this.code.reply)));
      return;
    }
    this.page = pages.open(this.wanted, this.around);
    this.element.replaceChildren(this.page.element);
  }
}
