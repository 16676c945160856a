import type { Table } from "@lancedb/lancedb";
import {
  buildIndex,
  deservesIndex,
  indexStats,
  measured,
  stillServes,
  warmIndex,
  type Plan,
} from "./indexes.js";
import type { Documents } from "./schema.js";
import { quoted } from "./sql.js";

/** How each set is searched; kept as documents, which another process may write, too. */
export class Plans {
  /** By set. */
  private readonly known = new Map<string, { plan: Plan | undefined; at: number; asked: number }>();
  /** By condition: people ask several times with the same. */
  private readonly shares = new Map<string, { share: number; version: number }>();

  constructor(
    private readonly items: Table,
    private readonly documents: Documents,
    private readonly local: boolean,
  ) {}

  /** For a search through a set's column. */
  async of(identity: string, column: string): Promise<Plan | undefined> {
    const known = this.known.get(identity);
    const trusted = known !== undefined && Date.now() - known.at < trustPlanMs;
    const plan = trusted ? known.plan : await this.read(identity);
    const asked = (known?.asked ?? 0) + 1;
    this.known.set(identity, { plan, at: trusted ? known.at : Date.now(), asked });
    if (asked === worthWarming && plan !== undefined && this.local) void warmIndex(this.items, column);
    return plan;
  }

  /** Without a plan every vector is compared; so it is with the indexes of clipt's first version, whose plans had no kind. */
  async read(identity: string): Promise<Plan | undefined> {
    const plan = (await this.documents.read(indexDocument(identity))) as Partial<Plan> | undefined;
    return plan?.kind === undefined ? undefined : (plan as Plan);
  }

  /** Makes or renews a set's index when its size deserves it; measures it when it is new or has `grown`. */
  async renew(identity: string, column: string, grown: boolean): Promise<void> {
    const count = await this.items.countRows(`${quoted(column)} IS NOT NULL`);
    const stats = await indexStats(this.items, column);
    const before = await this.read(identity);
    const serves = stats !== undefined && before !== undefined && stillServes(before, count, stats.parts);
    if (!deservesIndex(count) || (serves && !grown)) return;
    const plan = serves
      ? await measured(this.items, column, count, before)
      : await buildIndex(this.items, column, count);
    await this.documents.write(indexDocument(identity), plan);
    this.known.delete(identity);
  }

  /** Of all items, those that meet a condition. */
  async share(condition: string): Promise<number> {
    const version = await this.items.version();
    const known = this.shares.get(condition);
    if (known?.version === version) return known.share;
    const [all, meant] = [await this.items.countRows(), await this.items.countRows(condition)];
    if (this.shares.size >= mostShares) this.shares.clear();
    const share = Math.max(1, meant) / Math.max(1, all);
    this.shares.set(condition, { share, version });
    return share;
  }
}

/** Another process may make an index; an old plan finds a little less, or compares everything. */
const trustPlanMs = 5_000;
/** Searches of one process after which it reads the whole index into memory. */
const worthWarming = 10;
/** Conditions whose share of the items is remembered. */
const mostShares = 100;

const indexDocument = (identity: string): string => `.index/${identity}`;
