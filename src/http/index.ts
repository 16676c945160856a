/** The server: `serve` runs until its signal is aborted. */
export { serve } from "./serve.js";
export { defaultLimits, type Limits } from "./limits.js";
