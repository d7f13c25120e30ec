// The pages of the ledger.

import type { Page } from "../main";
import type { AccidentRoute } from "../router";
import type { Surroundings } from "../views/accidents";
import { EntryPage } from "./entry";
import { ListPage } from "./list";
import { AccidentPage } from "./page";

export function open(wanted: AccidentRoute, around: Surroundings): Page {
  switch (wanted.page) {
    case "accidents":
      return new ListPage(wanted.query, around);
    case "accident":
      return new AccidentPage(wanted.code, wanted.asOf, around);
    case "accident-entry":
      return new EntryPage(wanted.code, around);
  }
}
