/** Side of the small picture whose lowest frequencies are looked at. */
const side = 32;
const frequencies = 8;

/**
 * A fingerprint that stays nearly the same when a picture is scaled, recompressed or slightly changed in brightness: signs of
 * the lowest frequencies of its luminance against their median (pHash; Zauner 2010, "Implementation and Benchmarking of
 * Perceptual Image Hash Functions").
 *
 * @param pixels [3, height, width], any affine scale of the channels
 * @returns      16 hexadecimal digits: 64 bits
 */
export function perceptualHash(pixels: Float32Array, height: number, width: number): string {
  const small = shrink(pixels, height, width);
  const values = lowFrequencies(small);
  // The first is the mean brightness.
  const median = [...values.subarray(1)].sort((a, b) => a - b)[31]!;
  let hash = 0n;
  for (const value of values) hash = (hash << 1n) | (value > median ? 1n : 0n);
  return hash.toString(16).padStart(16, "0");
}

/** Bits in which two fingerprints differ, 0 to 64. Copies of a picture are rarely more than 6 apart. */
export function hashDistance(a: string, b: string): number {
  let bits = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  for (; bits > 0n; bits &= bits - 1n) count++;
  return count;
}

/** Means of boxes of the luminance, [32, 32]. */
function shrink(pixels: Float32Array, height: number, width: number): Float64Array {
  const result = new Float64Array(side * side);
  const plane = height * width;
  for (let y = 0; y < side; y++) {
    const [top, bottom] = [Math.floor((y * height) / side), Math.ceil(((y + 1) * height) / side)];
    for (let x = 0; x < side; x++) {
      const [left, right] = [Math.floor((x * width) / side), Math.ceil(((x + 1) * width) / side)];
      let sum = 0;
      for (let row = top; row < bottom; row++)
        for (let i = row * width + left; i < row * width + right; i++)
          sum += 0.299 * pixels[i]! + 0.587 * pixels[plane + i]! + 0.114 * pixels[2 * plane + i]!;
      result[y * side + x] = sum / ((bottom - top) * (right - left));
    }
  }
  return result;
}

const cosines = Float64Array.from({ length: frequencies * side }, (_, i) =>
  Math.cos((Math.PI / side) * ((i % side) + 0.5) * Math.floor(i / side)),
);

/** The lowest 8 × 8 coefficients of the discrete cosine transform. */
function lowFrequencies(small: Float64Array): Float64Array {
  const result = new Float64Array(frequencies * frequencies);
  const rows = new Float64Array(side * frequencies);
  for (let y = 0; y < side; y++)
    for (let u = 0; u < frequencies; u++)
      for (let x = 0; x < side; x++)
        rows[y * frequencies + u]! += small[y * side + x]! * cosines[u * side + x]!;
  for (let v = 0; v < frequencies; v++)
    for (let u = 0; u < frequencies; u++)
      for (let y = 0; y < side; y++)
        result[v * frequencies + u]! += rows[y * frequencies + u]! * cosines[v * side + y]!;
  return result;
}
