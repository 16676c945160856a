import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Queue } from "./queue.js";
import type { SharedServices } from "./shared-services.js";

/** What Prometheus is told. */
export interface Metrics {
  /** @param route the path as it was declared, not as it was asked: names of pictures are nobody's business */
  count(route: string, method: string, status: number, seconds: number): void;
  readonly contentType: string;
  text(): Promise<string>;
}

export function openMetrics(queue: Queue, { waiting }: Pick<SharedServices, "waiting">): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "clipt_requests_total",
    help: "Requests that were answered",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "clipt_request_seconds",
    help: "From the end of a request's headers to its answer",
    labelNames: ["route"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge("clipt_queue_places", "Places of the queue that are taken", () => queue.length);
  gauge("clipt_waiting_texts", "Texts that wait for the model", () => waiting.texts);
  gauge("clipt_waiting_pictures", "Pictures that wait for the model", () => waiting.pictures);
  return {
    count(route, method, status, took) {
      requests.inc({ route, method, status });
      seconds.observe({ route }, took);
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
