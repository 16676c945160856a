// The inner loops of the antialiased resize, in AssemblyScript for WebAssembly SIMD. `npm run build:wasm` compiles this
// file into src/input/image/resize/kernel-binary.ts.
//
// A weight k of 22 fractional bits does not fit the 16 bits of a SIMD dot product. It is cut into k = high·2^15 + low
// with 0 ≤ low < 2^15; both halves are summed apart and joined at the end. All of it is arithmetic modulo 2^32 on a sum
// that fits in 32 bits, so the result is exact whatever the number of weights.

/** Joins the halves, adds ½, drops the 22 fractional bits and clips to 0–255: four values in the lowest four bytes. */
function finish(low: v128, high: v128): v128 {
  const sum = i32x4.add(i32x4.add(i32x4.shl(high, 15), low), i32x4.splat(1 << 21));
  const words = i32x4.shr_s(sum, 22);
  const shorts = i16x8.narrow_i32x4_s(words, words);
  return i8x16.narrow_i16x8_u(shorts, shorts);
}

/**
 * Shortens or stretches rows.
 *
 * @param starts  byte offset of the first source pixel of each output pixel, i32[width]
 * @param counts  number of weights of each output pixel, a multiple of 4 (8 for one channel), i32[width]
 * @param low     low halves of the weights, i16[width, taps]
 * @param high    high halves, i16[width, taps]
 */
export function horizontal(
  source: usize,
  sourceStride: i32,
  rows: i32,
  target: usize,
  width: i32,
  channels: i32,
  starts: usize,
  counts: usize,
  low: usize,
  high: usize,
  taps: i32,
): void {
  for (let y = 0; y < rows; y++) {
    const row = source + <usize>y * sourceStride;
    for (let x = 0; x < width; x++) {
      let from = row + load<i32>(starts + ((<usize>x) << 2));
      const n = load<i32>(counts + ((<usize>x) << 2));
      let l = low + <usize>x * (taps << 1);
      const h = high - low;
      const end = l + (n << 1);
      let lows = i32x4.splat(0);
      let highs = i32x4.splat(0);
      if (channels == 3) {
        while (l < end) {
          const bytes = v128.load(from);
          // Two pixels as pairs of one channel: R0 R1 G0 G1 B0 B1; lanes beyond the bytes are zero.
          const first = i8x16.swizzle(bytes, i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
          const second = i8x16.swizzle(
            bytes,
            i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1),
          );
          lows = i32x4.add(lows, i32x4.dot_i16x8_s(first, v128.load32_splat(l)));
          highs = i32x4.add(highs, i32x4.dot_i16x8_s(first, v128.load32_splat(l + h)));
          lows = i32x4.add(lows, i32x4.dot_i16x8_s(second, v128.load32_splat(l, 4)));
          highs = i32x4.add(highs, i32x4.dot_i16x8_s(second, v128.load32_splat(l + h, 4)));
          from += 12;
          l += 8;
        }
        store<i32>(target, i32x4.extract_lane(finish(lows, highs), 0));
        target += 3;
      } else if (channels == 4) {
        while (l < end) {
          const bytes = v128.load(from);
          const first = i8x16.swizzle(bytes, i8x16(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
          const second = i8x16.swizzle(
            bytes,
            i8x16(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1),
          );
          lows = i32x4.add(lows, i32x4.dot_i16x8_s(first, v128.load32_splat(l)));
          highs = i32x4.add(highs, i32x4.dot_i16x8_s(first, v128.load32_splat(l + h)));
          lows = i32x4.add(lows, i32x4.dot_i16x8_s(second, v128.load32_splat(l, 4)));
          highs = i32x4.add(highs, i32x4.dot_i16x8_s(second, v128.load32_splat(l + h, 4)));
          from += 16;
          l += 8;
        }
        store<i32>(target, i32x4.extract_lane(finish(lows, highs), 0));
        target += 4;
      } else if (channels == 1) {
        while (l < end) {
          const words = v128.load8x8_u(from);
          lows = i32x4.add(lows, i32x4.dot_i16x8_s(words, v128.load(l)));
          highs = i32x4.add(highs, i32x4.dot_i16x8_s(words, v128.load(l + h)));
          from += 8;
          l += 16;
        }
        lows = i32x4.add(lows, v128.shuffle<i32>(lows, lows, 2, 3, 0, 1));
        lows = i32x4.add(lows, v128.shuffle<i32>(lows, lows, 1, 0, 3, 2));
        highs = i32x4.add(highs, v128.shuffle<i32>(highs, highs, 2, 3, 0, 1));
        highs = i32x4.add(highs, v128.shuffle<i32>(highs, highs, 1, 0, 3, 2));
        store<u8>(target, <u8>i32x4.extract_lane(finish(lows, highs), 0));
        target += 1;
      } else {
        const twice = i8x16(0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7);
        while (l < end) {
          const bytes = v128.load64_zero(from);
          const words = i8x16.swizzle(bytes, i8x16(0, -1, 2, -1, 1, -1, 3, -1, 4, -1, 6, -1, 5, -1, 7, -1));
          lows = i32x4.add(lows, i32x4.dot_i16x8_s(words, i8x16.swizzle(v128.load64_zero(l), twice)));
          highs = i32x4.add(highs, i32x4.dot_i16x8_s(words, i8x16.swizzle(v128.load64_zero(l + h), twice)));
          from += 8;
          l += 8;
        }
        lows = i32x4.add(lows, v128.shuffle<i32>(lows, lows, 2, 3, 0, 1));
        highs = i32x4.add(highs, v128.shuffle<i32>(highs, highs, 2, 3, 0, 1));
        store<u16>(target, <u16>i32x4.extract_lane(finish(lows, highs), 0));
        target += 2;
      }
    }
  }
}

/**
 * Shortens or stretches columns of bytes, 16 at a time; writes up to 15 bytes past each row, which the next row mends.
 *
 * @param width   bytes of a row
 * @param starts  first source row of each output row, i32[rows]
 * @param counts  number of weights of each output row, i32[rows]
 * @param low     low halves of the weights, i16[rows, taps], taps even, zero beyond the count
 * @param high    high halves
 */
export function vertical(
  source: usize,
  sourceStride: i32,
  width: i32,
  target: usize,
  targetStride: i32,
  rows: i32,
  starts: usize,
  counts: usize,
  low: usize,
  high: usize,
  taps: i32,
): void {
  for (let y = 0; y < rows; y++) {
    const first = source + <usize>load<i32>(starts + ((<usize>y) << 2)) * sourceStride;
    const n = load<i32>(counts + ((<usize>y) << 2));
    const l = low + <usize>y * (taps << 1);
    const h = high + <usize>y * (taps << 1);
    for (let x = 0; x < width; x += 16) {
      let from = first + x;
      let low0 = i32x4.splat(0);
      let low1 = low0;
      let low2 = low0;
      let low3 = low0;
      let high0 = low0;
      let high1 = low0;
      let high2 = low0;
      let high3 = low0;
      for (let k = 0; k < n; k += 2) {
        const above = v128.load(from);
        // The weight of a row beyond the last one is zero.
        const below = k + 1 < n ? v128.load(from + sourceStride) : above;
        const left = i8x16.shuffle(above, below, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const right = i8x16.shuffle(
          above,
          below,
          8,
          24,
          9,
          25,
          10,
          26,
          11,
          27,
          12,
          28,
          13,
          29,
          14,
          30,
          15,
          31,
        );
        const a = i16x8.extend_low_i8x16_u(left);
        const b = i16x8.extend_high_i8x16_u(left);
        const c = i16x8.extend_low_i8x16_u(right);
        const d = i16x8.extend_high_i8x16_u(right);
        const lows = v128.load32_splat(l + (k << 1));
        const highs = v128.load32_splat(h + (k << 1));
        low0 = i32x4.add(low0, i32x4.dot_i16x8_s(a, lows));
        low1 = i32x4.add(low1, i32x4.dot_i16x8_s(b, lows));
        low2 = i32x4.add(low2, i32x4.dot_i16x8_s(c, lows));
        low3 = i32x4.add(low3, i32x4.dot_i16x8_s(d, lows));
        high0 = i32x4.add(high0, i32x4.dot_i16x8_s(a, highs));
        high1 = i32x4.add(high1, i32x4.dot_i16x8_s(b, highs));
        high2 = i32x4.add(high2, i32x4.dot_i16x8_s(c, highs));
        high3 = i32x4.add(high3, i32x4.dot_i16x8_s(d, highs));
        from += sourceStride << 1;
      }
      const to = target + <usize>y * targetStride + x;
      store<i32>(to, i32x4.extract_lane(finish(low0, high0), 0), 0);
      store<i32>(to, i32x4.extract_lane(finish(low1, high1), 0), 4);
      store<i32>(to, i32x4.extract_lane(finish(low2, high2), 0), 8);
      store<i32>(to, i32x4.extract_lane(finish(low3, high3), 0), 12);
    }
  }
}
