/** So many at once, and so many of one person. */
export class Seats {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(most: number, mostOfOne: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** False when there is none; who got one has to `leave`. */
  take(who: string): boolean {
    const own = this.#taken.get(who) ?? 0;
    if (this.#all >= this.#most || own >= this.#mostOfOne) return false;
    this.#taken.set(who, own + 1);
    this.#all += 1;
    return true;
  }

  leave(who: string): void {
    const own = (this.#taken.get(who) ?? 0) - 1;
    if (own > 0) this.#taken.set(who, own);
    else this.#taken.delete(who);
    this.#all -= 1;
  }
}
