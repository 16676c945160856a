/** What a field of a configuration may hold instead of its own value. */
const others: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  2.5,
  1e9,
  1e300,
  "",
  "text",
  [],
  [[]],
  ["a", 1],
  {},
  { a: {} },
];

/** Fields of one object that are changed; a vocabulary has thousands that are alike. */
const most = 12;

/**
 * A JSON value with one of its fields, at any depth, left out or in another type, and the whole in another type.
 *
 * @returns what was changed, and the changed value
 */
export function* wrongTypes(json: unknown, path = "$"): Generator<readonly [change: string, json: unknown]> {
  for (const other of others) yield [`${path} = ${JSON.stringify(other)}`, other];
  if (typeof json !== "object" || json === null) return;
  for (const [key, value] of Object.entries(json).slice(0, most)) {
    for (const [change, inner] of wrongTypes(value, `${path}.${key}`))
      yield [change, replaced(json, key, inner)];
    if (!Array.isArray(json))
      yield [
        `${path}.${key} is absent`,
        Object.fromEntries(Object.entries(json).filter(([name]) => name !== key)),
      ];
  }
}

const replaced = (json: object, key: string, value: unknown): unknown =>
  Array.isArray(json) ? json.with(Number(key), value) : { ...json, [key]: value };
