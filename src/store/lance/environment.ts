import { availableParallelism } from "node:os";

// What LanceDB reads when it is loaded; evaluated before it. Left alone, it keeps two cores free, and so computes with one where
// there are two; it reads up to 2 GiB ahead of whoever takes the rows; and it warns on the error stream of what it also throws,
// or tries again.
process.env["LANCE_CPU_THREADS"] ??= String(availableParallelism());
process.env["LANCE_DEFAULT_IO_BUFFER_SIZE"] ??= String(128 * 2 ** 20);
process.env["LANCEDB_LOG"] ??= "error";
