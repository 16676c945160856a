// Dot products of rows with several vectors, in AssemblyScript for WebAssembly SIMD. `npm run build:wasm` compiles this file
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
