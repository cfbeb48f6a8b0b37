/** A place in the order of calls. */
export interface Turn {
  /** Resolves when all earlier ones have passed. */
  readonly come: Promise<void>;
  /** Lets the next one come, once this one has. May be called twice. */
  pass(): void;
}

/** Lets what prepares itself side by side happen in the order in which it was asked for. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  take(): Turn {
    const come = this.#last;
    let pass = () => {};
    const passed = new Promise<void>((resolve) => {
      pass = resolve;
    });
    this.#last = come.then(() => passed);
    return { come, pass };
  }
}
