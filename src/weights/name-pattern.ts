/**
 * What the stars of a pattern stand for in a name: `*` for one part between dots, `**` for one or more.
 *
 * @returns undefined where the name does not match
 */
export function matcher(pattern: string): (name: string) => readonly string[] | undefined {
  const source = pattern.replace(
    /\*\*|\*|[.]/g,
    (found) => ({ "**": "(.+)", "*": "([^.]+)", ".": "\\." })[found] ?? found,
  );
  const regex = new RegExp(`^${source}$`);
  return (name) => regex.exec(name)?.slice(1);
}

/** The name that a pattern becomes with these for its stars, in their order. */
export function fill(pattern: string, stars: readonly string[]): string {
  let next = 0;
  return pattern.replace(/\*+/g, () => stars[next++] ?? "");
}
