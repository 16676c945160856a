import { channelsOf, sameKind, type Picture } from "./picture.js";

/**
 * A picture turned and mirrored as an EXIF orientation says: 1 leaves it, 3 turns it by half, 6 to the right, 8 to the left;
 * 2, 4, 5 and 7 mirror it, too. Any other number leaves it.
 */
export function turned(picture: Picture, orientation: number): Picture {
  if (!(orientation >= 2 && orientation <= 8)) return picture;
  const { width, height } = picture;
  const channels = channelsOf[picture.mode];
  const exchanged = orientation >= 5;
  // Where the stored picture's first row, and its first column, belong: at the far side?
  const rowsBackwards = [3, 4, 6, 7].includes(orientation);
  const columnsBackwards = [2, 3, 7, 8].includes(orientation);
  const result = exchanged ? sameKind(picture, height, width) : sameKind(picture, width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [row, column] = [rowsBackwards ? height - 1 - y : y, columnsBackwards ? width - 1 - x : x];
      const to = (exchanged ? column * height + row : row * width + column) * channels;
      const from = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) result.data[to + c] = picture.data[from + c]!;
    }
  return result;
}
