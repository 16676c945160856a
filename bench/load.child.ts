/** Opens a model in a process of its own: the first picture's vector, then the first text's. */
import { peakMb } from "./benchmark.js";

const start = performance.now();
const empty = process.memoryUsage().rss / 2 ** 20;
const [path = "", cacheFolder, dtype] = process.argv.slice(2);

const [{ openEncoder, openModel }, { nodeRuntime }, { f32 }] = await Promise.all([
  import("../src/model/index.js"),
  import("../src/runtime/index.js"),
  import("../src/tensor/index.js"),
]);
const model = await openModel(path);
const seconds = { open: 0, picture: 0, text: 0 };
const passed = (): number => (performance.now() - start) / 1000;
seconds.open = passed();
const runtime = nodeRuntime();
const encoder = await openEncoder(model, runtime, { dtype: dtype as "fp32", cacheFolder });
const size = [1, 3, ...model.config.image.imageSize];
await encoder.images(f32(size, new Float32Array(size.reduce((a, b) => a * b)).fill(0.5)));
seconds.picture = passed();
const afterPicture = peakMb();
await encoder.texts(["a photo of a dog"]);
seconds.text = passed();
process.send?.({ seconds, empty_mb: empty, picture_peak_mb: afterPicture, text_peak_mb: peakMb() });
await runtime.close();
