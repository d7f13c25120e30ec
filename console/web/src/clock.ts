// What time it is: the computer's until the server has said, then the installation's.

let clock: () => number = () => Date.now();

/** Tell the time by another clock, milliseconds since 1970. */
export function tellTimeBy(other: () => number): void {
  clock = other;
}

export const nowMs = (): number => clock();
