/** The same work with at most `most` calls running at once; the others wait in their order. */
export function limited<A extends readonly unknown[], B>(
  most: number,
  work: (...args: A) => Promise<B>,
): (...args: A) => Promise<B> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (...args) => {
    // Whoever finishes hands its place over, so that no newcomer slips in between.
    if (running < most) running++;
    else await new Promise<void>((start) => waiting.push(start));
    try {
      return await work(...args);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
