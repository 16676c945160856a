import { CliptError } from "../../tensor/index.js";
import { head } from "../bytes.js";

/** A class or function that a pickle names. Naming runs nothing; only `call` and `create` of those we made do. */
export class PickleGlobal {
  constructor(
    /** Module and name, joined by a dot. */
    readonly name: string,
    /** What calling it with these arguments gives. */
    readonly call?: (args: readonly unknown[]) => unknown,
  ) {}
}

/** An object that is more than a container: its attributes by name. */
export class PickleObject {
  attributes: ReadonlyMap<unknown, unknown> = new Map();
  constructor(readonly className: string) {}
}

/** What a pickle may refer to outside of itself; both refuse by throwing. */
export interface PickleWorld {
  global(name: string): PickleGlobal;
  persistent(id: unknown): unknown;
}

const utf8 = new TextDecoder();

/** A file of 10,000 tensors and their optimizer's state has fewer. One byte of a hostile file can make a container. */
const mostOpcodes = 2_000_000;

/**
 * Runs the part of the pickle machine that plain data needs: protocols 2 to 5, without copies of containers,
 * so time and memory grow with the pickle's length alone.
 *
 * @returns the value (lists and tuples as arrays, dictionaries as Maps) and the place after it
 * @throws  `format` for anything else
 * @source  CPython Lib/pickletools.py (the meaning of the opcodes)
 */
export function unpickle(bytes: Uint8Array, world: PickleWorld, start = 0): { value: unknown; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const memo = new Map<number, unknown>();
  const outer: unknown[][] = [];
  let stack: unknown[] = [];
  let position = start;

  const take = (length: number): number => {
    const at = position;
    if (!(length >= 0 && at + length <= bytes.length)) throw broken("it ends in the middle: it is cut off");
    position += length;
    return at;
  };
  const u8 = () => view.getUint8(take(1));
  const u32 = () => view.getUint32(take(4), true);
  const slice = (length: number) => {
    const at = take(length);
    return bytes.subarray(at, at + length);
  };
  const long = () => Number(view.getBigUint64(take(8), true));
  const text = (length: number) => utf8.decode(slice(length));
  const latin = (length: number) => Buffer.from(slice(length)).toString("latin1");
  const line = () => {
    const end = bytes.indexOf(10, position);
    const result = text((end < 0 ? Infinity : end) - position);
    position++;
    return result;
  };
  const pop = (): unknown => {
    if (stack.length === 0) throw broken("it takes a value where there is none");
    return stack.pop();
  };
  const top = (): unknown => {
    if (stack.length === 0) throw broken("it uses a value where there is none");
    return stack[stack.length - 1];
  };
  const popMark = (): unknown[] => {
    const items = stack;
    const below = outer.pop();
    if (below === undefined) throw broken("it closes a list that it never opened");
    stack = below;
    return items;
  };
  const popText = (): string => {
    const value = pop();
    if (typeof value !== "string") throw broken("it names a class by something other than a text");
    return value;
  };
  const recall = (key: number): void => {
    if (!memo.has(key)) throw broken(`it recalls value ${key}, which it never kept`);
    stack.push(memo.get(key));
  };
  const tuple = (length: number): void => {
    if (stack.length < length) throw broken("it takes a value where there is none");
    stack.push(stack.splice(stack.length - length));
  };
  const call = (): void => {
    const args = pop();
    const callee = pop();
    if (!(callee instanceof PickleGlobal) || callee.call === undefined || !Array.isArray(args))
      throw broken(
        callee instanceof PickleGlobal
          ? `it calls ${head(callee.name)}, which is not a function here`
          : "it calls something that is not a function",
      );
    stack.push(callee.call(args));
  };
  const append = (items: readonly unknown[]): void => {
    const list = top();
    if (!Array.isArray(list)) throw broken("it appends to something that is not a list");
    for (const item of items) list.push(item);
  };
  const setItems = (items: readonly unknown[]): void => {
    const dict = top();
    if (!(dict instanceof Map)) throw broken("it sets an item of something that is not a dictionary");
    if (items.length % 2 !== 0) throw broken("it has a key without a value");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key === "object" && key !== null)
        throw broken("it has a dictionary key that is not a plain value");
      dict.set(key, items[i + 1]);
    }
  };

  for (let done = 0; ; done++) {
    if (done > mostOpcodes) throw broken(`it has more than ${mostOpcodes} opcodes`);
    const opcode = u8();
    switch (opcode) {
      case 0x80: // PROTO
        if (u8() > 5) throw broken(`it uses protocol ${bytes[position - 1]}; 2 to 5 are read`);
        break;
      case 0x95: // FRAME: only a hint about what to buffer
        take(8);
        break;
      case 0x2e: // STOP
        return { value: pop(), end: position };
      case 0x28: // MARK
        outer.push(stack);
        stack = [];
        break;
      case 0x30: // POP
        if (stack.length > 0) stack.pop();
        else popMark();
        break;
      case 0x31: // POP_MARK
        popMark();
        break;
      case 0x32: // DUP
        stack.push(top());
        break;

      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
        stack.push(true);
        break;
      case 0x89: // NEWFALSE
        stack.push(false);
        break;
      case 0x4a: // BININT
        stack.push(view.getInt32(take(4), true));
        break;
      case 0x4b: // BININT1
        stack.push(u8());
        break;
      case 0x4d: // BININT2
        stack.push(view.getUint16(take(2), true));
        break;
      case 0x8a: // LONG1
        stack.push(integer(slice(u8())));
        break;
      case 0x47: // BINFLOAT
        stack.push(view.getFloat64(take(8), false));
        break;
      case 0x58: // BINUNICODE
        stack.push(text(u32()));
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(text(u8()));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(text(long()));
        break;
      case 0x54: // BINSTRING: texts of Python 2
        stack.push(latin(u32()));
        break;
      case 0x55: // SHORT_BINSTRING
        stack.push(latin(u8()));
        break;
      case 0x42: // BINBYTES
        stack.push(slice(u32()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(slice(u8()));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(slice(long()));
        break;

      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        stack.push([]);
        break;
      case 0x6c: // LIST
      case 0x74: { // TUPLE
        const items = popMark();
        stack.push(items);
        break;
      } // prettier-ignore
      case 0x85: // TUPLE1
        tuple(1);
        break;
      case 0x86: // TUPLE2
        tuple(2);
        break;
      case 0x87: // TUPLE3
        tuple(3);
        break;
      case 0x61: // APPEND
        append([pop()]);
        break;
      case 0x65: // APPENDS
        append(popMark());
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        break;
      case 0x64: { // DICT
        const items = popMark();
        stack.push(new Map());
        setItems(items);
        break;
      } // prettier-ignore
      case 0x73: { // SETITEM
        const value = pop();
        setItems([pop(), value]);
        break;
      } // prettier-ignore
      case 0x75: // SETITEMS
        setItems(popMark());
        break;

      case 0x71: // BINPUT
        memo.set(u8(), top());
        break;
      case 0x72: // LONG_BINPUT
        memo.set(u32(), top());
        break;
      case 0x94: // MEMOIZE
        memo.set(memo.size, top());
        break;
      case 0x68: // BINGET
        recall(u8());
        break;
      case 0x6a: // LONG_BINGET
        recall(u32());
        break;

      case 0x63: { // GLOBAL
        const module = line();
        stack.push(world.global(`${module}.${line()}`));
        break;
      } // prettier-ignore
      case 0x93: { // STACK_GLOBAL
        const name = popText();
        stack.push(world.global(`${popText()}.${name}`));
        break;
      } // prettier-ignore
      case 0x51: // BINPERSID
        stack.push(world.persistent(pop()));
        break;
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        call();
        break;
      case 0x62: { // BUILD
        const state = pop();
        const object = top();
        // Taken over, not copied: many objects may share one state, and copies would multiply it.
        if (object instanceof PickleObject && state instanceof Map) object.attributes = state;
        // An OrderedDict's attributes (torch keeps versions in `_metadata`) say nothing about weights.
        else if (!(object instanceof Map)) throw broken("it sets attributes of something that has none");
        break;
      } // prettier-ignore
      default:
        throw broken(
          `it uses opcode 0x${opcode.toString(16).padStart(2, "0")} at byte ${position - 1}, which a weights file has no use for`,
        );
    }
  }
}

/** A little-endian number in two's complement. */
function integer(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  value = BigInt.asIntN(8 * bytes.length, value);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

export const broken = (why: string): CliptError =>
  new CliptError("format", `Not a PyTorch file that can be read: ${why}.`);
