/** IEEE 754 binary16 bits to float32; exact. */
export function float16ToFloat32(from: Uint16Array, to: Float32Array): void {
  const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < to.length; i++) {
    const half = from[i] ?? 0;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) bits[i] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) bits[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else {
      to[i] = fraction * 2 ** -24;
      if (sign !== 0) bits[i] = (bits[i] ?? 0) | sign;
    }
  }
}

/** float32 to the nearest bfloat16, ties to even; too large becomes infinite. */
export function float32ToBFloat16(from: Float32Array, to: Uint16Array): void {
  const bits = new Uint32Array(from.buffer, from.byteOffset, from.length);
  for (let i = 0; i < to.length; i++) {
    const x = bits[i] ?? 0;
    const isNaN = (x & 0x7fffffff) > 0x7f800000;
    to[i] = isNaN ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
}

/** float32 to the nearest binary16, ties to even; too large becomes infinite. */
export function float32ToFloat16(from: Float32Array, to: Uint16Array): void {
  const bits = new Uint32Array(from.buffer, from.byteOffset, from.length);
  for (let i = 0; i < to.length; i++) {
    const x = bits[i] ?? 0;
    const sign = (x >>> 16) & 0x8000;
    const magnitude = x & 0x7fffffff;
    if (magnitude > 0x7f800000) to[i] = sign | 0x7e00;
    else if (magnitude >= 0x477ff000) to[i] = sign | 0x7c00;
    else if (magnitude >= 0x38800000) {
      const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
      to[i] = sign | ((rounded - 0x38000000) >>> 13);
    } else {
      // Below the smallest normal number the step is 2^-24; Math.round's ties are settled to even by hand.
      const scaled = Math.abs(from[i] ?? 0) * 2 ** 24;
      const floor = Math.floor(scaled);
      const rest = scaled - floor;
      to[i] = sign | (rest > 0.5 || (rest === 0.5 && (floor & 1) === 1) ? floor + 1 : floor);
    }
  }
}
