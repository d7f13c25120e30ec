// What the areas are called: alerts name them by code, people by name.

import { type Collection } from "./api";

const names = new Map<string, string>();

/** Learn the names of the fences in force. */
export function learnPlaces(fences: Collection): void {
  for (const { properties } of fences.features) {
    const { code, name } = properties;
    if (typeof code === "string" && typeof name === "string") names.set(code, name);
  }
}

/** Return what an area is called; its code where it has no name, or is not in force any more. */
export const placeName = (code: string): string => names.get(code) || code;
