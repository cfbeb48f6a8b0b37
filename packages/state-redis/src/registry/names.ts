/** So that entities which a page's order does not tell apart are on the same pages in every call. */
export const inOrderOf = <K extends string, T extends { readonly [name in K]: string }>(entities: T[], name: K): T[] =>
  entities.sort((a, b) => (a[name] < b[name] ? -1 : Number(a[name] > b[name])));
