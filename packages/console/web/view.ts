import type { Live } from './live.js';
import type { User } from './session.js';

/** What a view is given. */
export interface Place {
  readonly user: User;
  readonly live: Live;
  /** What stands behind `?` in the address. */
  readonly query: URLSearchParams;
  /** Ends with the view: everything that goes on in it hangs on this. */
  readonly signal: AbortSignal;
}

export interface View {
  /** Of the window. */
  readonly title: string;
  readonly element: HTMLElement;
  /** Where the focus goes; the heading where nothing is said. */
  readonly focus?: HTMLElement;
}
