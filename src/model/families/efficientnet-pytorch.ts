import { CliptError, type Tensor } from "../../tensor/index.js";
import { lite0 } from "../towers/efficientnet-lite.js";

/**
 * Names of the PyTorch ports of TensorFlow's EfficientNet (lukemelas' `_blocks.7._expand_conv`, blocks counted
 * through) as timm's (`blocks.3.2.conv_pw`, blocks counted by stage). The classifier stays `classifier`.
 *
 * @throws `format` when a name is not one of that layout
 */
export function efficientNetFromPyTorch(
  tensors: ReadonlyMap<string, Tensor>,
  stages = lite0.stages,
): Map<string, Tensor> {
  const places = stages.flatMap((stage, s) =>
    Array.from({ length: stage.blocks }, (_, i) => ({ at: `blocks.${s}.${i}`, stage })),
  );
  const top: Record<string, string> = {
    _conv_stem: "conv_stem",
    _bn0: "bn1",
    _conv_head: "conv_head",
    _bn1: "bn2",
    _fc: "classifier",
  };
  const inverted: Record<string, string> = {
    _expand_conv: "conv_pw",
    _bn0: "bn1",
    _depthwise_conv: "conv_dw",
    _bn1: "bn2",
    _project_conv: "conv_pwl",
    _bn2: "bn3",
  };
  const separable: Record<string, string> = {
    _depthwise_conv: "conv_dw",
    _bn1: "bn1",
    _project_conv: "conv_pw",
    _bn2: "bn2",
  };
  const rename = (name: string): string => {
    const inner = /^_blocks\.(\d+)\.(\w+)\.(\w+)$/.exec(name);
    const outer = /^(\w+)\.(\w+)$/.exec(name);
    const place = places[Number(inner?.[1])];
    const layer =
      inner && place ? (place.stage.expand === 1 ? separable : inverted)[inner[2]!] : top[outer?.[1] ?? ""];
    if (layer === undefined)
      throw new CliptError("format", `${name} is no weight of an EfficientNet with ${places.length} blocks.`);
    return inner && place ? `${place.at}.${layer}.${inner[3]}` : `${layer}.${outer![2]}`;
  };
  return new Map(
    [...tensors]
      .filter(([name]) => !name.endsWith("num_batches_tracked"))
      .map(([name, tensor]) => [rename(name), tensor]),
  );
}
