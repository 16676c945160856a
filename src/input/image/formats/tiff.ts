/**
 * The palette of a TIFF's first picture, [n, 4] with full alpha; undefined when it has none, is a BigTIFF or breaks the
 * format. Decoders look colours up unasked, but the reference resizes a palette picture otherwise than an RGB one.
 */
export function readTiffPalette(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const colorMap = 320;
  if (view.getUint16(2, little) !== 42) return undefined;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return undefined;
  const end = directory + 2 + view.getUint16(directory, little) * 12;
  for (let at = directory + 2; at < end && at + 12 <= bytes.length; at += 12) {
    if (view.getUint16(at, little) !== colorMap) continue;
    // All reds, then all greens, then all blues, of 16 bits.
    const colours = Math.floor(view.getUint32(at + 4, little) / 3);
    const values = view.getUint32(at + 8, little);
    if (colours > 256 || values + colours * 6 > bytes.length) return undefined;
    const palette = new Uint8Array(colours * 4).fill(255);
    for (let i = 0; i < colours; i++)
      for (let c = 0; c < 3; c++)
        palette[i * 4 + c] = view.getUint16(values + (c * colours + i) * 2, little) >> 8;
    return palette;
  }
  return undefined;
}
