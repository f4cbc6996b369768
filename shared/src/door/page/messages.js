// MessagePack, fragments and proofs, as docs/protocol.md has them.

const utf8 = new TextEncoder();
const text = new TextDecoder();

/** The bytes of a value: null, boolean, number, string, Uint8Array, array or object. */
export function pack(value) {
  const parts = [];
  let size = 0;
  const add = (bytes) => {
    parts.push(bytes);
    size += bytes.length;
  };
  const sized = (short, long, length) => {
    const bytes = new Uint8Array(5);
    bytes[0] = length < 256 ? short : long;
    const view = new DataView(bytes.buffer);
    if (length < 256) view.setUint8(1, length);
    else view.setUint32(1, length);
    add(length < 256 ? bytes.subarray(0, 2) : bytes);
  };
  const number = (value) => {
    if (Number.isInteger(value) && value >= 0 && value < 128) return add(Uint8Array.of(value));
    const bytes = new Uint8Array(9);
    const view = new DataView(bytes.buffer);
    bytes[0] = Number.isSafeInteger(value) ? 0xd3 : 0xcb;
    if (Number.isSafeInteger(value)) view.setBigInt64(1, BigInt(value));
    else view.setFloat64(1, value);
    add(bytes);
  };
  const counted = (few, many, count) =>
    add(count < 16 ? Uint8Array.of(few | count) : Uint8Array.of(many, count >> 8, count & 255));
  const put = (value) => {
    if (value === null || value === undefined) add(Uint8Array.of(0xc0));
    else if (typeof value === "boolean") add(Uint8Array.of(value ? 0xc3 : 0xc2));
    else if (typeof value === "number") number(value);
    else if (typeof value === "string") {
      const bytes = utf8.encode(value);
      sized(0xd9, 0xdb, bytes.length);
      add(bytes);
    } else if (value instanceof Uint8Array) {
      sized(0xc4, 0xc6, value.length);
      add(value);
    } else if (Array.isArray(value)) {
      counted(0x90, 0xdc, value.length);
      value.forEach(put);
    } else {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      counted(0x80, 0xde, entries.length);
      for (const [key, item] of entries) {
        put(key);
        put(item);
      }
    }
  };
  put(value);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The value of bytes. Binary values are views of them. Throws if the bytes are not MessagePack, or more than one value. */
export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (size) => {
    if (at + size > bytes.length) throw new Error("the message ends early");
    at += size;
    return at - size;
  };
  const uint = (size) => {
    let value = 0;
    for (let place = take(size); place < at; place++) value = value * 256 + bytes[place];
    return value;
  };
  const raw = (size) => {
    const start = take(size);
    return bytes.subarray(start, at);
  };
  const string = (size) => text.decode(raw(size));
  const list = (size, depth) => {
    const values = [];
    for (let place = 0; place < size; place++) values.push(read(depth + 1));
    return values;
  };
  const map = (size, depth) => {
    const values = Object.create(null);
    for (let place = 0; place < size; place++) {
      const key = read(depth + 1);
      values[key] = read(depth + 1);
    }
    return values;
  };
  function read(depth) {
    if (depth > 8) throw new Error("the message is nested too deeply");
    const tag = bytes[take(1)];
    if (tag < 0x80) return tag;
    if (tag < 0x90) return map(tag & 15, depth);
    if (tag < 0xa0) return list(tag & 15, depth);
    if (tag < 0xc0) return string(tag & 31);
    if (tag >= 0xe0) return tag - 256;
    switch (tag) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return raw(uint(1));
      case 0xc5: return raw(uint(2));
      case 0xc6: return raw(uint(4));
      case 0xca: return view.getFloat32(take(4));
      case 0xcb: return view.getFloat64(take(8));
      case 0xcc: return uint(1);
      case 0xcd: return uint(2);
      case 0xce: return uint(4);
      case 0xcf: return uint(8);
      case 0xd0: return view.getInt8(take(1));
      case 0xd1: return view.getInt16(take(2));
      case 0xd2: return view.getInt32(take(4));
      case 0xd3: return Number(view.getBigInt64(take(8)));
      case 0xd9: return string(uint(1));
      case 0xda: return string(uint(2));
      case 0xdb: return string(uint(4));
      case 0xdc: return list(uint(2), depth);
      case 0xdd: return list(uint(4), depth);
      case 0xde: return map(uint(2), depth);
      case 0xdf: return map(uint(4), depth);
      default: throw new Error(`a value of the type ${tag} is not expected`);
    }
  }
  const value = read(0);
  if (at !== bytes.length) throw new Error("something follows the message");
  return value;
}

/** Joins fragments to messages. Keeps at most `most` unfinished messages, and gives up the one with the lowest id. */
export class Joiner {
  constructor(most) {
    this.most = most;
    this.open = new Map();
  }

  /** Takes a fragment; returns the message that it completes. */
  add(bytes) {
    const [id, index, count, piece] = unpack(bytes);
    if (!(piece instanceof Uint8Array) || !(index < count)) throw new Error("a malformed fragment");
    if (count === 1) return piece;
    let message = this.open.get(id);
    if (!message) {
      if (this.open.size >= this.most) this.open.delete(Math.min(...this.open.keys()));
      this.open.set(id, (message = { pieces: new Map(), size: 0 }));
    }
    if (!message.pieces.has(index)) message.size += piece.length;
    message.pieces.set(index, piece);
    if (message.pieces.size < count) return null;
    this.open.delete(id);
    const whole = new Uint8Array(message.size);
    let at = 0;
    for (let place = 0; place < count; place++) {
      whole.set(message.pieces.get(place), at);
      at += message.pieces.get(place).length;
    }
    return whole;
  }
}

/** Bytes of a fragment's header, at most. */
const HEADER = 25;

/** The fragments of a message, each of at most `most` bytes. */
export function* split(id, message, most) {
  const size = most - HEADER;
  const count = Math.max(1, Math.ceil(message.length / size));
  for (let index = 0; index < count; index++) {
    yield pack([id, index, count, message.subarray(index * size, (index + 1) * size)]);
  }
}

/** Random hexadecimal digits of 32 bytes. */
export const nonce = () => toHex(crypto.getRandomValues(new Uint8Array(32)));

const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function fromHex(digits) {
  if (!/^([0-9a-f]{2}){32}$/i.test(digits)) throw new Error("the peer's proof or nonce is malformed");
  return Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
}

/** SHA-256 of the certificate that a description names. Throws if it names several, or another hash. */
export function fingerprint(sdp) {
  const named = [...sdp.matchAll(/^a=fingerprint:(\S+) (\S+)\r?$/gm)].map(([, hash, digits]) => `${hash} ${digits}`);
  const [first] = named;
  if (!first || named.some((other) => other.toLowerCase() !== first.toLowerCase())) {
    throw new Error("the description does not name one certificate");
  }
  const [hash, digits] = first.split(" ");
  if (hash.toLowerCase() !== "sha-256") throw new Error("the certificate is not named by sha-256");
  return fromHex(digits.replaceAll(":", ""));
}

/** Proves that this page holds the token, and checks that its peer does: the server, or the client of a camera. */
export class Prover {
  /** `context` is what the proofs are for: a client's session, or a page that only watches. */
  static async of(token, ours, context = "plumb admission 1") {
    const bytes = utf8.encode(token);
    if (bytes.length < 16) throw new Error("a token has at least 16 characters");
    if (!globalThis.crypto?.subtle) {
      throw new Error("a browser proves a token only to this machine or inside TLS: open the page by https");
    }
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    const prover = new Prover();
    prover.key = key;
    prover.ours = ours;
    prover.context = context;
    prover.peer = "server";
    return prover;
  }

  /** Checks the server's challenge; returns our first proof. */
  async answer({ nonce, proof }) {
    this.theirs = nonce;
    await this.check(proof, "hello", "source", []);
    return this.prove("hello", "sink", []);
  }

  covered(which, role, fingerprints) {
    const parts = [utf8.encode(`${this.context}\0${which}\0${role}\0`), fromHex(this.theirs), fromHex(this.ours)];
    const all = [...parts, ...fingerprints];
    const whole = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
    all.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  }

  async prove(which, role, fingerprints) {
    return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", this.key, this.covered(which, role, fingerprints))));
  }

  async check(proof, which, role, fingerprints) {
    const covered = this.covered(which, role, fingerprints);
    if (!(await crypto.subtle.verify("HMAC", this.key, fromHex(proof ?? ""), covered))) {
      throw new Error(`the ${this.peer} does not hold this token`);
    }
  }
}
