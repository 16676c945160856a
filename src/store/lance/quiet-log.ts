// LanceDB warns on the error stream of what it also throws, or tries again. Evaluated before the library is loaded.
process.env["LANCEDB_LOG"] ??= "error";
