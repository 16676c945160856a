// The inner loops of decoding a baseline JPEG at a quarter of its size, in AssemblyScript. `npm run build:wasm` compiles this
// file into src/input/image/jpeg/kernel-binary.ts.
//
// A quarter of a block is 2 × 2 samples: the inverse cosine transform of its four lowest coefficients. All others are passed
// over by their lengths, two at a time. From there to red, green and blue samples keep fractional bits: what is rounded in light
// and colours weighs up to 1.8 times there.

/**
 * Copies the coded data without its stuffed zeros, and backwards: eight bytes that are loaded then have the first one on top.
 *
 * @param target   where the first byte goes; those that follow lie below
 * @param segments pairs of start and end, i32, of the data between restart markers
 * @param most     segments that there is room for
 * @returns        number of segments; −1 where the data ends without an end marker, or goes on with something else
 */
export function unstuff(source: usize, end: usize, target: usize, segments: usize, most: i32): i32 {
  let at = target;
  let count = 0;
  store<i32>(segments, <i32>at);
  const stuffed = i8x16.splat(-1);
  while (source < end) {
    while (source + 16 <= end) {
      const bytes = v128.load(source);
      if (v128.any_true(i8x16.eq(bytes, stuffed))) break;
      v128.store(at - 15, i8x16.shuffle(bytes, bytes, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
      source += 16;
      at -= 16;
    }
    const byte = load<u8>(source++);
    if (byte != 0xff) {
      store<u8>(at--, byte);
      continue;
    }
    while (source < end && load<u8>(source) == 0xff) source++;
    if (source >= end) return -1;
    const marker = load<u8>(source++);
    if (marker == 0) {
      store<u8>(at--, 0xff);
      continue;
    }
    if (marker != 0xd9 && (marker & 0xf8) != 0xd0) return -1;
    store<i32>(segments + ((<usize>count) << 3) + 4, <i32>at);
    count++;
    // What is read ahead of the end is zeros.
    for (let i = 0; i < 16; i++) store<u8>(at--, 0);
    if (marker == 0xd9) return count;
    if (count == most) return -1;
    store<i32>(segments + ((<usize>count) << 3), <i32>at);
  }
  return -1;
}

/**
 * A code of any length at the top of `acc`: (length << 8) | symbol, or 0 for a code that there is not.
 *
 * @param table u16[512] for codes of up to 9 bits; then for each length 1–16 the last code + 1 in 16 bits i32[17], and
 *              what leads from a code to its symbol i32[17]; then the symbols u8[256]
 */
function look(acc: u64, table: usize): i32 {
  const short = <i32>load<u16>(table + ((<usize>(acc >> 55)) << 1));
  return short != 0 ? short : lookLong(acc, table);
}

function lookLong(acc: u64, table: usize): i32 {
  const code16 = <i32>(acc >> 48);
  for (let length = 10; length <= 16; length++) {
    if (code16 < load<i32>(table + 1024 + ((<usize>length) << 2))) {
      const at = (code16 >> (16 - length)) + load<i32>(table + 1092 + ((<usize>length) << 2));
      return (length << 8) | (<i32>load<u8>(table + 1160 + (at & 255)));
    }
  }
  return 0;
}

/** The signed number that the top `size` bits stand for. */
function extended(acc: u64, size: i32): i32 {
  if (size == 0) return 0;
  const value = <i32>(acc >> (64 - size));
  return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

/** A sum without the mean of all samples, in eighths of a level, as a sample in eighths. */
function sample(sum: i32): i16 {
  return <i16>min(255 << 3, max(0, sum + (128 << 3)));
}

/**
 * Decodes all blocks into planes of 2 × 2 samples a block, in eighths of a level, i16.
 *
 * A block of one level all over is rounded to a whole one, as whoever decodes all of its samples rounds each of them.
 *
 * @param segments   from `unstuff`
 * @param interval   units (MCUs) of a segment
 * @param components for each eight i32: blocks across and down in a unit, DC table, AC table, table of steps, divisors,
 *                   plane, bytes of a row of it. Divisors: of the first five coefficients, i32.
 *                   Steps: u32[2048] by the next 11 bits: bits 0–5 of a symbol with its number, 6–12 places that it goes
 *                   forward, 13–18 and 19–26 the same of two symbols; 0: longer. Then i16[2048]: the first one's number.
 * @param space      i32[80 + components]
 * @returns          0, or 1 where the data is damaged
 */
export function scan(
  segments: usize,
  interval: i32,
  across: i32,
  down: i32,
  components: usize,
  count: i32,
  space: usize,
): i32 {
  const values = space;
  const before = space + 320;
  let left = 0;
  let segment = segments;
  // The next bits on top, how many there are, and where the byte behind them lies.
  let acc: u64 = 0;
  let bits = 0;
  let next: usize = 0;
  let end: usize = 0;
  const zero = i32x4.splat(0);
  for (let row = 0; row < down; row++)
    for (let column = 0; column < across; column++) {
      if (left == 0) {
        if (next + ((<usize>bits) >> 3) < end) return 1;
        next = load<i32>(segment);
        end = load<i32>(segment + 4);
        segment += 8;
        acc = 0;
        bits = 0;
        left = interval;
        for (let c = 0; c < count; c++) store<i32>(before + ((<usize>c) << 2), 0);
      }
      left--;
      if (next + 12 < end) return 1;
      for (let c = 0; c < count; c++) {
        const own = components + ((<usize>c) << 5);
        const wide = load<i32>(own);
        const high = load<i32>(own + 4);
        const dc = <usize>load<i32>(own + 8);
        const ac = <usize>load<i32>(own + 12);
        const steps = <usize>load<i32>(own + 16);
        const divisors = <usize>load<i32>(own + 20);
        const plane = <usize>load<i32>(own + 24);
        const stride = <usize>load<i32>(own + 28);
        const previous = before + ((<usize>c) << 2);
        for (let v = 0; v < high; v++)
          for (let h = 0; h < wide; h++) {
            acc |= load<u64>(next - 7) >> bits;
            next -= (63 - bits) >> 3;
            bits |= 56;
            const first = look(acc, dc);
            const size = first & 0xff;
            if (first == 0 || size > 11) return 1;
            acc <<= first >> 8;
            const level = load<i32>(previous) + extended(acc, size);
            acc <<= size;
            bits -= (first >> 8) + size;
            store<i32>(previous, level);

            v128.store(values, zero);
            store<i32>(values, 0, 16);
            let k = 1;
            while (k < 5) {
              acc |= load<u64>(next - 7) >> bits;
              next -= (63 - bits) >> 3;
              bits |= 56;
              const top = <usize>(acc >> 53);
              const entry = <i32>load<u32>(steps + (top << 2));
              if (entry < 0) {
                // Seen as a whole. What lies beyond the fifth place is written where nobody reads it.
                const forward = (entry >> 6) & 127;
                const n = entry & 63;
                store<i32>(
                  values + ((<usize>(k + forward - 1)) << 2),
                  <i32>load<i16>(steps + 8192 + (top << 1)),
                );
                k += forward;
                acc <<= n;
                bits -= n;
                continue;
              }
              const symbol = look(acc, ac);
              if (symbol == 0) return 1;
              const n = symbol & 15;
              acc <<= symbol >> 8;
              k += n == 0 && (symbol & 0xf0) != 0xf0 ? 64 : ((symbol >> 4) & 15) + 1;
              store<i32>(values + ((<usize>(k - 1)) << 2), extended(acc, n));
              acc <<= n;
              bits -= (symbol >> 8) + n;
            }
            const flat = k == 65;
            while (k < 64) {
              acc |= load<u64>(next - 7) >> bits;
              next -= (63 - bits) >> 3;
              bits |= 56;
              const entry = <i32>load<u32>(steps + ((<usize>(acc >> 53)) << 2));
              const forward = (entry >> 6) & 127;
              let n: i32;
              if (forward == 0) {
                const symbol = look(acc, ac);
                if (symbol == 0) return 1;
                n = (symbol >> 8) + (symbol & 15);
                k += (symbol & 15) == 0 && (symbol & 0xf0) != 0xf0 ? 64 : ((symbol >> 4) & 15) + 1;
              } else if (k + forward == 64) {
                n = entry & 63;
                k = 64;
              } else {
                n = (entry >> 13) & 63;
                k += (entry >> 19) & 255;
              }
              acc <<= n;
              bits -= n;
            }

            const scaled = level * load<i32>(divisors);
            const mean = flat ? (scaled + (1 << 2)) & ~7 : scaled;
            const horizontal = load<i32>(values, 4) * load<i32>(divisors, 4);
            const vertical = load<i32>(values, 8) * load<i32>(divisors, 8);
            const both = load<i32>(values, 16) * load<i32>(divisors, 16);
            const at = plane + <usize>(2 * (row * high + v)) * stride + <usize>(4 * (column * wide + h));
            store<i16>(at, sample(mean + horizontal + vertical + both));
            store<i16>(at, sample(mean - horizontal + vertical - both), 2);
            store<i16>(at + stride, sample(mean + horizontal - vertical - both));
            store<i16>(at + stride, sample(mean - horizontal - vertical + both), 2);
          }
      }
    }
  return next + ((<usize>bits) >> 3) < end ? 1 : 0;
}

/** Halves up, and drops fractional bits of weights. */
function rounded(sums: v128, bits: i32): v128 {
  return i32x4.shr_s(i32x4.add(sums, i32x4.splat((1 << bits) >> 1)), bits);
}

/**
 * Shortens or stretches rows of eighths, to 64ths. Rows have no gaps. Reads up to 7 samples past a row, whose weight is zero.
 *
 * @param starts  byte offset of the first source sample of each output sample, i32[width]
 * @param counts  number of weights of each output sample, a multiple of 8, i32[width]
 * @param weights 14 fractional bits, i16[width, taps], zero beyond the count
 */
export function horizontal(
  source: usize,
  stride: i32,
  rows: i32,
  target: usize,
  width: i32,
  starts: usize,
  counts: usize,
  weights: usize,
  taps: i32,
): void {
  for (let y = 0; y < rows; y++) {
    const row = source + <usize>y * stride;
    for (let x = 0; x < width; x++) {
      let from = row + load<i32>(starts + ((<usize>x) << 2));
      let weight = weights + <usize>x * (taps << 1);
      const end = weight + (load<i32>(counts + ((<usize>x) << 2)) << 1);
      let sums = i32x4.splat(0);
      while (weight < end) {
        sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load(from), v128.load(weight)));
        from += 16;
        weight += 16;
      }
      sums = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 2, 3, 0, 1));
      sums = i32x4.add(sums, v128.shuffle<i32>(sums, sums, 1, 0, 3, 2));
      const words = rounded(sums, 11);
      store<i16>(target, i16x8.extract_lane_s(i16x8.narrow_i32x4_s(words, words), 0));
      target += 2;
    }
  }
}

/**
 * Shortens or stretches columns of 64ths, 8 at a time. Rows have no gaps; up to 7 samples are written past each, which the next
 * row mends. Reads a row past the last one, whose weight is zero.
 *
 * @param starts  first source row of each output row, i32[rows]
 * @param counts  number of weights of each output row, a multiple of 2, i32[rows]
 * @param weights 14 fractional bits, i16[rows, taps], zero beyond the count
 */
export function vertical(
  source: usize,
  width: i32,
  target: usize,
  rows: i32,
  starts: usize,
  counts: usize,
  weights: usize,
  taps: i32,
): void {
  const stride = (<usize>width) << 1;
  for (let y = 0; y < rows; y++) {
    const first = source + <usize>load<i32>(starts + ((<usize>y) << 2)) * stride;
    const begin = weights + <usize>y * (taps << 1);
    const end = begin + (load<i32>(counts + ((<usize>y) << 2)) << 1);
    for (let x: usize = 0; x < stride; x += 16) {
      let from = first + x;
      let left = i32x4.splat(0);
      let right = left;
      for (let weight = begin; weight < end; weight += 4) {
        const above = v128.load(from);
        const below = v128.load(from + stride);
        const pair = v128.load32_splat(weight);
        left = i32x4.add(
          left,
          i32x4.dot_i16x8_s(v128.shuffle<i16>(above, below, 0, 8, 1, 9, 2, 10, 3, 11), pair),
        );
        right = i32x4.add(
          right,
          i32x4.dot_i16x8_s(v128.shuffle<i16>(above, below, 4, 12, 5, 13, 6, 14, 7, 15), pair),
        );
        from += stride << 1;
      }
      v128.store(target + <usize>y * stride + x, i16x8.narrow_i32x4_s(rounded(left, 14), rounded(right, 14)));
    }
  }
}

function byte(sum: i32, bits: i32): u8 {
  return <u8>min(255, max(0, (sum + ((1 << bits) >> 1)) >> bits));
}

/** A plane of 64ths of a level to bytes. */
export function toGrey(y: usize, target: usize, pixels: i32): void {
  for (let i: usize = 0; i < <usize>pixels; i++) store<u8>(target + i, byte(load<i16>(y + (i << 1)), 6));
}

/** Planes of 64ths of a level, of equal size, to red, green, blue: JFIF's conversion with 14 fractional bits. */
export function toRgb(y: usize, blue: usize, red: usize, target: usize, pixels: i32): void {
  for (let i: usize = 0; i < (<usize>pixels) << 1; i += 2) {
    const light = (<i32>load<i16>(y + i)) << 14;
    const b = <i32>load<i16>(blue + i) - (128 << 6);
    const r = <i32>load<i16>(red + i) - (128 << 6);
    store<u8>(target, byte(light + 22970 * r, 20));
    store<u8>(target, byte(light - 5638 * b - 11700 * r, 20), 1);
    store<u8>(target, byte(light + 29032 * b, 20), 2);
    target += 3;
  }
}
