// A graph, its gradient and its text: node dist/examples/gradient.js
import { gradients, input, matmul, print, sum, tanh } from "clipt/graph";
import { evaluate } from "clipt/runtime";
import { f32 } from "clipt/tensor";

const x = input("x", [1, 2]);
const w = input("w", [2, 2]);
const loss = sum(tanh(matmul(x, w)));
const [slope] = gradients(loss, [w]);
console.log(print(loss));
const { gradient } = await evaluate(
  { gradient: slope! },
  { x: f32([1, 2], [1, 2]), w: f32([2, 2], [0, 0, 0, 0]) },
);
console.log(gradient.shape, [...gradient.data]);
