/** Bytes as people read them, in powers of 1,000: "605 MB". */
export function showBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value >= 99.5 || unit === 0 ? value.toFixed(0) : value.toPrecision(2)} ${units[unit]}`;
}
