// Byte-level BPE writes each byte as a visible character, so that vocabularies are readable text files without spaces.
// Bytes that are visible in Latin-1 stand for themselves, the others for U+0100 upwards. Source: openai/gpt-2 `encoder.py`.

const visible = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const hidden = bytes.filter((byte) => !visible(byte));

/** The 256 bytes in the order in which CLIP numbers them. */
export const byteOrder: readonly number[] = [...bytes.filter(visible), ...hidden];

/** Character of each byte. */
export const byteChars: readonly string[] = bytes.map((byte) =>
  String.fromCharCode(visible(byte) ? byte : 0x100 + hidden.indexOf(byte)),
);

const byteOfChar = new Map(byteChars.map((char, byte) => [char, byte]));

/** Those characters' bytes read as UTF-8; what is not UTF-8 becomes U+FFFD. */
export function fromByteChars(text: string): string {
  const found = Array.from(text, (char) => byteOfChar.get(char)).filter((byte) => byte !== undefined);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(found));
}
