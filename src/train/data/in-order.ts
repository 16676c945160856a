/**
 * Maps a stream with several items under way at once; results come in the stream's order. At most `ahead` items are
 * taken from the stream before their turn, whether the consumer asks or not: that bounds memory.
 * An error of the stream or of the work is thrown in its turn. Leaving early returns the stream.
 */
export async function* inOrder<A, B>(
  stream: AsyncGenerator<A>,
  work: (item: A) => Promise<B>,
  ahead: number,
): AsyncGenerator<B> {
  // An async generator queues its next() calls, so all of them can be made at once.
  const start = async (): Promise<{ value: B } | undefined> => {
    const item = await stream.next();
    return item.done === true ? undefined : { value: await work(item.value) };
  };
  const queue: Promise<{ value: B } | undefined>[] = [];
  const enqueue = () => {
    const result = start();
    // Its turn may never come; whoever takes it sees the error all the same.
    result.catch(() => {});
    queue.push(result);
  };
  try {
    while (queue.length < Math.max(1, ahead)) enqueue();
    for (let next = await queue.shift(); next !== undefined; next = await queue.shift()) {
      enqueue();
      yield next.value;
    }
  } finally {
    await stream.return(undefined);
  }
}
