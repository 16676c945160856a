// Texts of two languages in one space: node dist/examples/embed.js
import { bundledModel, nodeRuntime, openEncoder, openModel } from "clipt";

const runtime = nodeRuntime();
const encoder = await openEncoder(await openModel(bundledModel()), runtime);
const { features } = await encoder.texts(["a dog in the snow", "собака на снегу", "a bowl of soup"]);
const [, width = 0] = features.shape;
const row = (i: number) => features.data.subarray(i * width, (i + 1) * width) as Float32Array;
const cosine = (i: number, j: number) => row(i).reduce((total, x, k) => total + x * row(j)[k]!, 0);
console.log("the same in Russian:", cosine(0, 1).toFixed(2), " something else:", cosine(0, 2).toFixed(2));
await runtime.close();
