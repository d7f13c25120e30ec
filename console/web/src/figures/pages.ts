// The pages of figures.

import type { Page } from "../main";
import type { CityMap } from "../map/map";
import type { FiguresRoute } from "../router";
import { PlacesPage } from "./places";

export function open(wanted: FiguresRoute, map: CityMap): Page {
  return new PlacesPage(wanted.place, map);
}
