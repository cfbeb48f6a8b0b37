import Ajv, { type ValidateFunction } from 'ajv';
import type { Route } from '../routing/route';

interface Checked {
  readonly method: string;
  readonly path: RegExp;
  readonly literals: number;
  readonly route: Route;
}

/** Holds what is answered to what the route says is answered: a member too many breaks strict clients. */
export class AnswerCheck {
  readonly #ajv = new Ajv({ strict: false, validateFormats: false });
  readonly #routes: readonly Checked[];
  readonly #compiled = new Map<object, ValidateFunction>();

  constructor(routes: readonly Route[]) {
    this.#routes = routes
      .map((route) => ({
        method: route.method,
        path: new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`),
        literals: route.path.replace(/\{\w+\}/g, '').length,
        route,
      }))
      .sort((a, b) => b.literals - a.literals);
  }

  /** @throws Error for a success of another form than the route's */
  check(method: string, target: string, { status, text }: { readonly status: number; readonly text: string }): void {
    if (status < 200 || status > 299) return;
    const path = target.split('?', 1)[0] ?? '';
    const route = this.#routes.find((candidate) => candidate.method === method && candidate.path.test(path))?.route;
    if (!route) return;
    const name = `${method} ${route.path}`;
    if (route.answer.kind === 'empty' && text !== '') throw new Error(`${name} answers ${text} instead of nothing`);
    if (route.answer.kind !== 'json' || text === '') return;
    const fits = this.#validator(route.answer.schema);
    if (!fits(JSON.parse(text))) {
      throw new Error(`${name} answers what it does not say: ${this.#ajv.errorsText(fits.errors)} in ${text}`);
    }
  }

  #validator(schema: object): ValidateFunction {
    const fits = this.#compiled.get(schema) ?? this.#ajv.compile(schema);
    this.#compiled.set(schema, fits);
    return fits;
  }
}
