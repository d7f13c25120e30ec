// Light and dark: chosen by hand and kept, else what the system says. Canvases ask here for their colours.

export type Theme = "light" | "dark";

const KEPT = "kerbsafe.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
const colours = new Map<string, string>();

function kept(): Theme | null {
  const value = localStorage.getItem(KEPT);
  return value === "light" || value === "dark" ? value : null;
}

export function theme(): Theme {
  return kept() ?? (system.matches ? "dark" : "light");
}

export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(KEPT, chosen);
  show();
}

export function whenThemeChanges(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Return a colour of the style sheet by its name, e.g. `--ink`. */
export function colour(name: string): string {
  let value = colours.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    colours.set(name, value);
  }
  return value;
}

let onPaper = false;

/** Paper is white, whatever was chosen. */
export function forPaper(is: boolean): void {
  onPaper = is;
  show();
}

export function show(): void {
  document.documentElement.dataset["theme"] = onPaper ? "light" : theme();
  colours.clear();
  for (const listener of listeners) listener();
}

system.addEventListener("change", show);
