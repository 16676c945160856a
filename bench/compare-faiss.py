"""The search benchmark's vectors in faiss: a flat index and HNSW. Prints one line of JSON.

Usage: compare-faiss.py [--threads N] VECTORS QUERIES TRUTH DIM
"""
import json, resource, sys, time
import faiss, numpy as np

args = sys.argv[1:]
threads = 2
if args[0] == "--threads":
    threads, args = int(args[1]), args[2:]
vectors_file, queries_file, truth_file, dim = args[0], args[1], args[2], int(args[3])
faiss.omp_set_num_threads(threads)
vectors = np.memmap(vectors_file, dtype="<f4", mode="r").reshape(-1, dim)
queries = np.fromfile(queries_file, dtype="<f4").reshape(-1, dim)
truth = json.load(open(truth_file))["all"]

def ask(index, count):
    took, hits = [], 0
    for query in queries[:20]:
        index.search(query[None], 10)
    for query, expected in zip(queries[:count], truth):
        start = time.perf_counter()
        _, found = index.search(query[None], 10)
        took.append(1000 * (time.perf_counter() - start))
        hits += len(set(found[0].tolist()) & set(expected))
    took.sort()
    return {"p50_ms": took[len(took) // 2], "p95_ms": took[int(0.95 * len(took))], "recall_at_10": hits / (10 * count)}

result = {"faiss": faiss.__version__, "threads": threads}
flat = faiss.IndexFlatIP(dim)
flat.add(vectors)
result["flat"] = ask(flat, min(50, len(queries)))
del flat
hnsw = faiss.IndexHNSWFlat(dim, 32, faiss.METRIC_INNER_PRODUCT)
start, cpu = time.perf_counter(), time.process_time()
hnsw.add(vectors)
result["hnsw32"] = {"build_s": time.perf_counter() - start, "build_cpu_s": time.process_time() - cpu}
for ef in (16, 32, 64, 128, 256, 512):
    hnsw.hnsw.efSearch = ef
    result["hnsw32"].update({"ef": ef, **ask(hnsw, len(queries))})
    if result["hnsw32"]["recall_at_10"] >= 0.95:
        break
result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(result))
