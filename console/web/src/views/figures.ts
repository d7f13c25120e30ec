// The door to the pages of figures: their code and texts are loaded when one of them is opened.

import { h } from "../dom";
import { t } from "../i18n";
import type { Page } from "../main";
import type { CityMap } from "../map/map";
import { Question } from "../question";
import type { FiguresRoute } from "../router";
import { notice } from "../sentence";

type Pages = typeof import("../figures/pages");

export class FiguresDoor implements Page {
  readonly element = h("div", { class: "figures-door" });
  private page: Page | null = null;
  private readonly code = new Question<Pages>(
    () => import("../figures/pages"),
    () => this.heard(),
  );

  constructor(
    private readonly wanted: FiguresRoute,
    private readonly map: CityMap,
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
      this.element.replaceChildren(h("article", { class: "page" }, h("h1", { tabindex: "-1" }, t("app.nav.places")), notice(this.code.reply)));
      return;
    }
    this.page = pages.open(this.wanted, this.map);
    this.element.replaceChildren(this.page.element);
  }
}
