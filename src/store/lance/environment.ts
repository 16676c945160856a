import { availableParallelism } from "node:os";

// What LanceDB reads when it is loaded; evaluated before it. Left alone, it keeps two cores free, and so computes with one where
// there are two; and it warns on the error stream of what it also throws, or tries again.
process.env["LANCE_CPU_THREADS"] ??= String(availableParallelism());
process.env["LANCEDB_LOG"] ??= "error";
