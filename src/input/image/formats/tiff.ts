/** Whether the first picture of a TIFF has a palette (PhotometricInterpretation 3), which decoders look up unasked. */
export function isTiffPalette(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const photometric = 262;
  if (view.getUint16(2, little) !== 42) return false;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return false;
  const entries = view.getUint16(directory, little);
  for (let at = directory + 2; at < directory + 2 + entries * 12 && at + 12 <= bytes.length; at += 12)
    if (view.getUint16(at, little) === photometric) return view.getUint16(at + 8, little) === 3;
  return false;
}
