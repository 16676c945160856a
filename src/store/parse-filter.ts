import { CliptError } from "../tensor/index.js";
import type { FieldType, FieldValue } from "./fields.js";
import { checkFilter, type Comparison, type Filter } from "./filter.js";

type Known = Readonly<Record<string, FieldType>>;

/** Levels of parentheses and `not`. */
const maxDepth = 50;

/**
 * A filter as people type it: `taken >= 2020-06-01 and (camera = "X100" or not exists latitude)`. There are `= != < <= > >=`,
 * `in (…, …)`, `starts`, `contains`, `exists FIELD`, `and`, `or`, `not` and parentheses. A date is `2020`, `2020-06` or
 * `2020-06-01`, with a time if need be, in UTC.
 *
 * @throws `input` with the place, and for unknown fields and values of another type
 */
export function parseFilter(text: string, known: Known): Filter {
  const reader = new Reader(text);
  const filter = either(reader, known);
  if (reader.peek() !== undefined) throw reader.unexpected("the end, `and` or `or`");
  checkFilter(filter, known);
  return filter;
}

function either(reader: Reader, known: Known): Filter {
  const of = [both(reader, known)];
  while (reader.take("or")) of.push(both(reader, known));
  return of.length === 1 ? of[0]! : { kind: "or", of };
}

function both(reader: Reader, known: Known): Filter {
  const of = [single(reader, known)];
  while (reader.take("and")) of.push(single(reader, known));
  return of.length === 1 ? of[0]! : { kind: "and", of };
}

function single(reader: Reader, known: Known): Filter {
  if (reader.take("not")) return { kind: "not", of: reader.inside(() => single(reader, known)) };
  if (reader.take("(")) {
    const inner = reader.inside(() => either(reader, known));
    reader.require(")");
    return inner;
  }
  if (reader.take("exists")) return { kind: "exists", field: reader.word("a field") };
  const field = reader.word("a field");
  const type = Object.hasOwn(known, field) ? known[field] : undefined;
  // An unknown field is named by the check at the end; its value may be anything.
  if (type === undefined) checkFilter({ kind: "exists", field }, known);
  const value = (): FieldValue => valueOf(reader, type ?? "text");
  for (const by of ["<=", ">=", "!=", "=", "<", ">"] satisfies Comparison[])
    if (reader.take(by)) return { kind: "compare", field, by, value: value() };
  for (const kind of ["starts", "contains"] as const)
    if (reader.take(kind)) return { kind, field, text: reader.word("a text") };
  if (reader.take("in")) {
    reader.require("(");
    const values = [value()];
    while (reader.take(",")) values.push(value());
    reader.require(")");
    return { kind: "in", field, values };
  }
  throw reader.unexpected("=, !=, <, <=, >, >=, in, starts or contains");
}

function valueOf(reader: Reader, type: FieldType): FieldValue {
  const word = reader.word("a value");
  if (type === "text") return word;
  if (type === "flag" && /^(true|false)$/.test(word)) return word === "true";
  if (type === "number" && Number.isFinite(Number(word))) return Number(word);
  const date = type === "date" ? Date.parse(/^\d{4}-\d\d-\d\dT.*\d$/.test(word) ? `${word}Z` : word) : NaN;
  if (Number.isFinite(date)) return date;
  throw new CliptError("input", `"${word}" in the filter is not a ${type}.`);
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
  readonly at: number;
}

/** Reads words, signs and quoted texts one after another. */
class Reader {
  private readonly tokens: readonly Token[];
  private next = 0;

  private depth = 0;

  constructor(private readonly text: string) {
    const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(<=|>=|!=|[=<>(),])|([^\s"'=<>!(),]+))/gy;
    const tokens: Token[] = [];
    let end = 0;
    for (const match of text.matchAll(pattern)) {
      const quote = match[1] ?? match[2];
      const word = quote?.replaceAll(/\\(.)/g, "$1") ?? match[3] ?? match[4] ?? "";
      tokens.push({ text: word, quoted: quote !== undefined, at: match.index });
      end = match.index + match[0].length;
    }
    if (text.slice(end).trim() !== "")
      throw new CliptError("input", `The filter cannot be read at \`${text.slice(end).trim()}\`.`);
    this.tokens = tokens;
  }

  /** Reads what lies one level deeper. @throws `input` when nobody can have meant so many levels */
  inside<T>(read: () => T): T {
    if (++this.depth > maxDepth)
      throw new CliptError("input", `The filter has more than ${maxDepth} levels of parentheses.`);
    const found = read();
    this.depth--;
    return found;
  }

  peek(): Token | undefined {
    return this.tokens[this.next];
  }

  /** Goes on when the next one is this word or sign. */
  take(word: string): boolean {
    const token = this.peek();
    if (token === undefined || token.quoted || token.text.toLowerCase() !== word) return false;
    this.next++;
    return true;
  }

  require(sign: string): void {
    if (!this.take(sign)) throw this.unexpected(sign);
  }

  word(what: string): string {
    const token = this.peek();
    if (token === undefined || (!token.quoted && /^(<=|>=|!=|[=<>(),])$/.test(token.text)))
      throw this.unexpected(what);
    this.next++;
    return token.text;
  }

  unexpected(wanted: string): CliptError {
    const token = this.peek();
    const rest = token === undefined ? "its end" : `\`${this.text.slice(token.at).trim()}\``;
    return new CliptError("input", `The filter cannot be read at ${rest}: ${wanted} was expected.`);
  }
}
