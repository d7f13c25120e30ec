// The pages of figures.

import type { Page } from "../main";
import type { CityMap } from "../map/map";
import type { FiguresRoute } from "../router";
import { PlacesPage } from "./places";
import { QualityPage } from "./quality";

export function open(wanted: FiguresRoute, map: CityMap): Page {
  return wanted.page === "places" ? new PlacesPage(wanted.place, map) : new QualityPage(wanted.by);
}
