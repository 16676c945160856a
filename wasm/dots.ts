// Dot products of rows with vectors, in AssemblyScript for WebAssembly SIMD. `npm run build:wasm` compiles this file
// into src/score/dots-binary.ts.
//
// Each product is summed in the same order wherever its row and its vector stand: four sums of every fourth number, then
// those four. So equal rows have equal products.

function total(lanes: v128): f32 {
  const low = f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1);
  const high = f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3);
  return low + high;
}

/**
 * @param rows    f32[count, width]
 * @param count   a multiple of 4
 * @param width   a multiple of 4
 * @param vectors f32[n, width]
 * @param into    f32[n, count]
 */
export function dots(rows: usize, count: i32, width: i32, vectors: usize, n: i32, into: usize): void {
  const bytes = (<usize>width) << 2;
  const rowsEnd = rows + <usize>count * bytes;
  const stride = (<usize>count) << 2;
  let q = 0;
  // Two rows and four vectors at a time: eight sums and what is multiplied fill the registers.
  for (; q + 4 <= n; q += 4) {
    let target = into + <usize>q * stride;
    for (let row = rows; row < rowsEnd; row += bytes << 1) {
      let v = vectors + <usize>q * bytes;
      let a0 = f32x4.splat(0);
      let a1 = f32x4.splat(0);
      let a2 = f32x4.splat(0);
      let a3 = f32x4.splat(0);
      let b0 = f32x4.splat(0);
      let b1 = f32x4.splat(0);
      let b2 = f32x4.splat(0);
      let b3 = f32x4.splat(0);
      const end = row + bytes;
      for (let at = row; at < end; at += 16) {
        const a = v128.load(at);
        const b = v128.load(at + bytes);
        const v0 = v128.load(v);
        a0 = f32x4.add(a0, f32x4.mul(a, v0));
        b0 = f32x4.add(b0, f32x4.mul(b, v0));
        const v1 = v128.load(v + bytes);
        a1 = f32x4.add(a1, f32x4.mul(a, v1));
        b1 = f32x4.add(b1, f32x4.mul(b, v1));
        const v2 = v128.load(v + (bytes << 1));
        a2 = f32x4.add(a2, f32x4.mul(a, v2));
        b2 = f32x4.add(b2, f32x4.mul(b, v2));
        const v3 = v128.load(v + bytes * 3);
        a3 = f32x4.add(a3, f32x4.mul(a, v3));
        b3 = f32x4.add(b3, f32x4.mul(b, v3));
        v += 16;
      }
      store<f32>(target, total(a0));
      store<f32>(target, total(b0), 4);
      store<f32>(target + stride, total(a1));
      store<f32>(target + stride, total(b1), 4);
      store<f32>(target + (stride << 1), total(a2));
      store<f32>(target + (stride << 1), total(b2), 4);
      store<f32>(target + stride * 3, total(a3));
      store<f32>(target + stride * 3, total(b3), 4);
      target += 8;
    }
  }
  // Vectors that are left: four rows at a time.
  for (; q < n; q++) {
    let target = into + <usize>q * stride;
    for (let row = rows; row < rowsEnd; row += bytes << 2) {
      let v = vectors + <usize>q * bytes;
      let a0 = f32x4.splat(0);
      let a1 = f32x4.splat(0);
      let a2 = f32x4.splat(0);
      let a3 = f32x4.splat(0);
      const end = row + bytes;
      for (let at = row; at < end; at += 16) {
        const x = v128.load(v);
        a0 = f32x4.add(a0, f32x4.mul(v128.load(at), x));
        a1 = f32x4.add(a1, f32x4.mul(v128.load(at + bytes), x));
        a2 = f32x4.add(a2, f32x4.mul(v128.load(at + (bytes << 1)), x));
        a3 = f32x4.add(a3, f32x4.mul(v128.load(at + bytes * 3), x));
        v += 16;
      }
      store<f32>(target, total(a0));
      store<f32>(target, total(a1), 4);
      store<f32>(target, total(a2), 8);
      store<f32>(target, total(a3), 12);
      target += 16;
    }
  }
}

/** Levels of 16 numbers, from 0 to 15. */
function levels(row: usize, scales: usize, offsets: usize): v128 {
  const a = i16x8.narrow_i32x4_s(level(row, scales, offsets), level(row + 16, scales + 16, offsets + 16));
  const b = i16x8.narrow_i32x4_s(
    level(row + 32, scales + 32, offsets + 32),
    level(row + 48, scales + 48, offsets + 48),
  );
  return i8x16.min_u(i8x16.narrow_i16x8_u(a, b), i8x16.splat(15));
}

function level(row: usize, scales: usize, offsets: usize): v128 {
  const scaled = f32x4.mul(v128.load(row), v128.load(scales));
  return i32x4.trunc_sat_f32x4_s(f32x4.add(scaled, v128.load(offsets)));
}

/**
 * Writes rows in four bits a number: 16 bytes for each 32 numbers, the first 16 of them in the lower bits.
 *
 * @param rows    f32[count, width]
 * @param width   a multiple of 32
 * @param scales  f32[width]: numbers are multiplied with these, then
 * @param offsets f32[width] added; the whole part is the level, from 0 to 15
 * @param into    u4[count, width]
 */
export function encode(
  rows: usize,
  count: i32,
  width: i32,
  scales: usize,
  offsets: usize,
  into: usize,
): void {
  const bytes = (<usize>width) << 2;
  const end = rows + <usize>count * bytes;
  let target = into;
  for (let row = rows; row < end; row += bytes)
    for (let at: usize = 0; at < bytes; at += 128) {
      const first = levels(row + at, scales + at, offsets + at);
      const second = levels(row + at + 64, scales + at + 64, offsets + at + 64);
      v128.store(target, v128.or(first, i8x16.shl(second, 4)));
      target += 16;
    }
}

/** Rows that are fetched before they are compared. */
const ahead = 32;

/** Sum of the products of 16 numbers of four bits, in the bytes of `codes`, with 16 of a vector. */
function codedSum(codes: v128, vector: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(codes), v128.load(vector)),
    i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(codes), v128.load(vector, 16)),
  );
}

/**
 * Dot products of some rows that `encode` wrote with a vector.
 *
 * @param rows    u4[any, width]
 * @param width   a multiple of 32
 * @param indexes u32[n]: the rows that are meant
 * @param vector  i16[width]
 * @param into    i32[n]
 */
export function codedDots(rows: usize, width: i32, indexes: usize, n: i32, vector: usize, into: usize): void {
  const bytes = (<usize>width) >> 1;
  const low = i8x16.splat(15);
  for (let i = 0; i < n; i++) {
    // Rows lie far from each other: some are fetched from memory at once, so that their waits overlap.
    if (i % ahead == 0)
      store<i32>(into + ((<usize>i) << 2), touched(rows, bytes, indexes, i, min(i + ahead, n)));
    const row = rows + <usize>load<u32>(indexes + ((<usize>i) << 2)) * bytes;
    let v = vector;
    let sum = i32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      const codes = v128.load(row + at);
      sum = i32x4.add(sum, codedSum(v128.and(codes, low), v));
      sum = i32x4.add(sum, codedSum(i8x16.shr_u(codes, 4), v + 32));
      v += 64;
    }
    const total =
      i32x4.extract_lane(sum, 0) +
      i32x4.extract_lane(sum, 1) +
      i32x4.extract_lane(sum, 2) +
      i32x4.extract_lane(sum, 3);
    store<i32>(into + ((<usize>i) << 2), total);
  }
}

/** Reads a byte of each line of a cache. @returns something of all, so that none is left out */
function touched(rows: usize, bytes: usize, indexes: usize, from: i32, end: i32): i32 {
  let all = 0;
  for (let i = from; i < end; i++) {
    const row = rows + <usize>load<u32>(indexes + ((<usize>i) << 2)) * bytes;
    for (let at: usize = 0; at < bytes; at += 64) all |= load<u8>(row + at);
  }
  return all;
}
