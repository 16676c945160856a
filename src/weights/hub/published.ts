/** A figure and where it was published. Rates are percent. */
export interface Figure {
  readonly value: number;
  readonly source: keyof typeof sources;
}

/** Where the figures of `published` are from. */
export const sources = {
  card: "models/clipt-small/README.md",
  openclip: "open_clip, docs/openclip_results.csv and docs/openclip_retrieval_results.csv (2026-06-27)",
  multilingual: "open_clip, docs/openclip_multilingual_retrieval_results.csv (2026-06-27)",
  siglip2: "google-research/big_vision, configs/proj/image_text/README_siglip2.md",
  tinyclip: "microsoft/Cream, TinyCLIP/README.md",
  mobileclip: "model card of apple/MobileCLIP-S1-OpenCLIP",
  mobileclip2: "model card of apple/MobileCLIP2-B",
} as const;

/** A model that others published and that is worth choosing. */
export interface PublishedModel {
  /** What to type after `--model`: its repository. */
  readonly name: string;
  /** Top-1 of zero-shot classification on ImageNet-1k. */
  readonly imagenet?: Figure;
  /** R@1 of pictures by captions on COCO's 5,000 test pictures. */
  readonly coco?: Figure;
  /** R@1 of pictures by captions on Crossmodal-3600, mean of its 36 languages. */
  readonly xm3600?: Figure;
  /** Millions, both towers. */
  readonly parameters: number;
  /** Side of the picture that the tower sees, px. */
  readonly imageSize: number;
  /**
   * Work of the image tower for one picture, 10⁹ operations: a picture costs time in proportion to it.
   * open_clip's docs/model_profile.csv; TinyCLIP and SigLIP 2 by the same count of their shapes, MobileCLIP by PyTorch's.
   */
  readonly gflops: number;
  /** Codes, or how many: the texts of models that were trained on that many are named nowhere. */
  readonly languages: readonly string[] | number;
  readonly license: string;
  /** What else decides a choice. */
  readonly note?: string;
}

const en = ["en"] as const;
/** SigLIP's training data (arXiv 2303.15343, 2502.14786), and XLM-R's (arXiv 1911.02116). */
const webli = 109;
const xlmRoberta = 100;

const openclip = (value: number): Figure => ({ value, source: "openclip" });
const multilingual = (value: number): Figure => ({ value, source: "multilingual" });
const siglip2 = (value: number): Figure => ({ value, source: "siglip2" });

/** A choice for every purpose, by size. The repositories hold more. */
export const published: readonly PublishedModel[] = [
  {
    name: "wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M",
    imagenet: { value: 41.1, source: "tinyclip" },
    parameters: 23.4,
    imageSize: 224,
    gflops: 3.6,
    languages: en,
    license: "MIT",
  },
  {
    name: "timm/MobileCLIP2-S0-OpenCLIP",
    imagenet: { value: 71.5, source: "mobileclip2" },
    parameters: 74.8,
    imageSize: 256,
    gflops: 4.8,
    languages: en,
    license: "Apple, research only",
    note: "the best for its speed",
  },
  {
    name: "wkcn/TinyCLIP-ViT-39M-16-Text-19M-YFCC15M",
    imagenet: { value: 63.5, source: "tinyclip" },
    parameters: 83.1,
    imageSize: 224,
    gflops: 16.0,
    languages: en,
    license: "MIT",
  },
  {
    name: "apple/MobileCLIP-S1-OpenCLIP",
    imagenet: { value: 72.6, source: "mobileclip" },
    parameters: 84.9,
    imageSize: 256,
    gflops: 9.3,
    languages: en,
    license: "Apple, research only",
  },
  {
    name: "timm/MobileCLIP2-S2-OpenCLIP",
    imagenet: { value: 77.2, source: "mobileclip2" },
    parameters: 99.1,
    imageSize: 256,
    gflops: 15.7,
    languages: en,
    license: "Apple, research only",
  },
  {
    name: "apple/DFN2B-CLIP-ViT-B-16",
    imagenet: openclip(76.24),
    coco: openclip(43.39),
    xm3600: multilingual(14.89),
    parameters: 149.6,
    imageSize: 224,
    gflops: 35.1,
    languages: en,
    license: "Apple, research only",
  },
  {
    name: "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    imagenet: openclip(73.49),
    coco: openclip(40.16),
    xm3600: multilingual(7.37),
    parameters: 149.6,
    imageSize: 224,
    gflops: 35.1,
    languages: en,
    license: "MIT",
  },
  {
    name: "openai/clip-vit-base-patch32",
    imagenet: openclip(63.32),
    coco: openclip(30.44),
    xm3600: multilingual(4.13),
    parameters: 151.3,
    imageSize: 224,
    gflops: 8.8,
    languages: en,
    license: "MIT",
    note: "the one that everybody compares with",
  },
  {
    name: "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    imagenet: openclip(66.56),
    coco: openclip(39.34),
    xm3600: multilingual(7.0),
    parameters: 151.3,
    imageSize: 224,
    gflops: 8.8,
    languages: en,
    license: "MIT",
  },
  {
    name: "laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
    imagenet: openclip(72.81),
    coco: openclip(39.93),
    xm3600: multilingual(7.83),
    parameters: 151.3,
    imageSize: 256,
    gflops: 11.5,
    languages: en,
    license: "MIT",
    note: "a good start for English",
  },
  {
    name: "OFA-Sys/chinese-clip-vit-base-patch16",
    parameters: 188,
    imageSize: 224,
    gflops: 35.1,
    languages: ["zh"],
    license: "Apache-2.0",
    note: "Flickr30K-CN, pictures by captions: R@1 62.7 (OFA-Sys/Chinese-CLIP, Results.md)",
  },
  {
    name: "timm/ViT-B-16-SigLIP",
    imagenet: openclip(76.04),
    coco: openclip(47.78),
    xm3600: multilingual(16.66),
    parameters: 203.2,
    imageSize: 224,
    gflops: 35.4,
    languages: en,
    license: "Apache-2.0",
  },
  {
    name: "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k",
    imagenet: openclip(62.36),
    coco: openclip(37.78),
    xm3600: multilingual(42.56),
    parameters: 366.1,
    imageSize: 224,
    gflops: 8.8,
    languages: xlmRoberta,
    license: "MIT",
  },
  {
    name: "timm/ViT-B-16-SigLIP-i18n-256",
    imagenet: openclip(75.13),
    coco: openclip(44.92),
    xm3600: multilingual(44.07),
    parameters: 370.6,
    imageSize: 256,
    gflops: 46.8,
    languages: webli,
    license: "Apache-2.0",
  },
  {
    name: "timm/ViT-B-16-SigLIP2-256",
    imagenet: siglip2(79.1),
    coco: siglip2(53.2),
    parameters: 375.2,
    imageSize: 256,
    gflops: 46.8,
    languages: webli,
    license: "Apache-2.0",
    note: "a good start where quality counts",
  },
  {
    name: "timm/ViT-B-32-SigLIP2-256",
    imagenet: siglip2(74.0),
    coco: siglip2(47.2),
    parameters: 376.8,
    imageSize: 256,
    gflops: 11.5,
    languages: webli,
    license: "Apache-2.0",
    note: "a good start for other languages",
  },
  {
    name: "openai/clip-vit-large-patch14",
    imagenet: openclip(75.54),
    coco: openclip(36.51),
    xm3600: multilingual(5.31),
    parameters: 427.6,
    imageSize: 224,
    gflops: 162.0,
    languages: en,
    license: "MIT",
  },
  {
    name: "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
    imagenet: openclip(79.21),
    coco: openclip(45.73),
    xm3600: multilingual(8.47),
    parameters: 427.6,
    imageSize: 224,
    gflops: 162.0,
    languages: en,
    license: "MIT",
  },
  {
    name: "apple/DFN2B-CLIP-ViT-L-14",
    imagenet: openclip(81.41),
    coco: openclip(48.56),
    xm3600: multilingual(17.99),
    parameters: 427.6,
    imageSize: 224,
    gflops: 162.0,
    languages: en,
    license: "Apple, research only",
  },
  {
    name: "timm/ViT-L-16-SigLIP2-256",
    imagenet: siglip2(82.5),
    coco: siglip2(54.7),
    parameters: 881.5,
    imageSize: 256,
    gflops: 162.6,
    languages: webli,
    license: "Apache-2.0",
  },
  {
    name: "apple/DFN5B-CLIP-ViT-H-14-378",
    imagenet: openclip(84.37),
    coco: openclip(55.64),
    xm3600: multilingual(24.71),
    parameters: 986.7,
    imageSize: 378,
    gflops: 1007,
    languages: en,
    license: "Apple, research only",
  },
  {
    name: "google/siglip2-so400m-patch14-384",
    imagenet: siglip2(84.1),
    coco: siglip2(55.8),
    parameters: 1136,
    imageSize: 384,
    gflops: 670.4,
    languages: webli,
    license: "Apache-2.0",
  },
  {
    name: "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k",
    imagenet: openclip(76.95),
    coco: openclip(49.21),
    xm3600: multilingual(50.22),
    parameters: 1193,
    imageSize: 224,
    gflops: 334.6,
    languages: xlmRoberta,
    license: "MIT",
  },
];
