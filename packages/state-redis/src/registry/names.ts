/** So that entities which a page's order does not tell apart are on the same pages in every call. */
export const inOrderOfNames = <T extends { readonly name: string }>(entities: T[]): T[] =>
  entities.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
