// A Plumb client in JavaScript, from docs/protocol.md: enough to take frames and answer them. Used in a page (browser.py)
// and in Node (werift_client.mjs). It answers `none`, because it tests the link and not a detector.

/** MessagePack, as far as Plumb needs it. */
const pack = (value) => {
  const bytes = [];
  const put = (value) => {
    if (value === null) bytes.push(0xc0);
    else if (typeof value === "number") {
      const view = new DataView(new ArrayBuffer(8));
      if (Number.isInteger(value) && value >= 0 && value < 128) return bytes.push(value);
      if (Number.isInteger(value) && value >= 0) view.setBigUint64(0, BigInt(value));
      else view.setFloat64(0, value);
      bytes.push(Number.isInteger(value) && value >= 0 ? 0xcf : 0xcb, ...new Uint8Array(view.buffer));
    } else if (typeof value === "string") {
      const text = new TextEncoder().encode(value);
      bytes.push(0xd9, text.length, ...text);
    } else if (value instanceof Uint8Array) bytes.push(0xc5, value.length >> 8, value.length & 255, ...value);
    else if (Array.isArray(value)) {
      bytes.push(0x90 | value.length);
      value.forEach(put);
    } else {
      bytes.push(0x80 | Object.keys(value).length);
      for (const [key, item] of Object.entries(value)) put(key), put(item);
    }
  };
  put(value);
  return new Uint8Array(bytes);
};

const unpack = (bytes) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const uint = (size) => {
    let value = 0;
    for (; size; size--) value = value * 256 + bytes[at++];
    return value;
  };
  const raw = (size) => bytes.subarray(at, (at += size));
  const text = (size) => new TextDecoder().decode(raw(size));
  const list = (size) => Array.from({ length: size }, read);
  const map = (size) => Object.fromEntries(Array.from({ length: size }, () => [read(), read()]));
  const real = (get, size) => view[get]((at += size) - size);
  function read() {
    const tag = bytes[at++];
    if (tag < 0x80) return tag;
    if (tag < 0x90) return map(tag & 15);
    if (tag < 0xa0) return list(tag & 15);
    if (tag < 0xc0) return text(tag & 31);
    if (tag >= 0xe0) return tag - 256;
    if (tag === 0xca) return real("getFloat32", 4);
    if (tag === 0xcb) return real("getFloat64", 8);
    const sized = { 0xc4: [raw, 1], 0xc5: [raw, 2], 0xc6: [raw, 4], 0xd9: [text, 1], 0xda: [text, 2], 0xdb: [text, 4] };
    const counted = { 0xdc: [list, 2], 0xdd: [list, 4], 0xde: [map, 2], 0xdf: [map, 4] };
    if (tag in sized) return sized[tag][0](uint(sized[tag][1]));
    if (tag in counted) return counted[tag][0](uint(counted[tag][1]));
    if (tag >= 0xcc && tag <= 0xcf) return uint(1 << (tag - 0xcc));
    return { 0xc0: null, 0xc2: false, 0xc3: true }[tag];
  }
  return read();
};

/** Answers an offer; `told(line)` is called with each line for the server's signaling. Resolves to the result. */
async function plumbClient(RTCPeerConnection, offer, told, munge = (sdp) => sdp, silentLimit = 15000) {
  const pc = new RTCPeerConnection({ iceServers: [] });
  const lanes = {};
  const result = { frames: 0, bytes: 0, opened_ms: null, reason: null };
  const start = performance.now();
  const now = () => Math.round(performance.now() * 1000);
  const send = (lane, message) => lanes[lane].readyState === "open" && lanes[lane].send(pack(message));
  const open = new Map();
  let answers = 0;

  return await new Promise((resolve) => {
    const end = (reason) => {
      result.reason = reason;
      resolve(result);
      setTimeout(() => pc.close(), 100);
    };
    let silence = setTimeout(() => end("silence"), silentLimit);
    const control = (message) => {
      if (message.type === "hello") {
        result.opened_ms = Math.round(performance.now() - start);
        send("control", { type: "hello", protocol: 1, name: "peer.js", version: "1", role: "sink" });
      } else if (message.type === "ping") {
        send("control", { type: "pong", id: message.id, received_us: now(), sent_us: now() });
      } else if (message.type === "bye") end(message.reason ?? "");
    };
    const fragment = (bytes) => {
      const [id, index, count, piece] = unpack(bytes);
      const pieces = open.get(id) ?? new Map();
      open.set(id, pieces.set(index, piece));
      if (pieces.size < count) return;
      open.delete(id);
      const whole = new Uint8Array([...pieces.values()].reduce((sum, piece) => sum + piece.length, 0));
      for (let i = 0, at = 0; i < count; at += pieces.get(i++).length) whole.set(pieces.get(i), at);
      const frame = unpack(whole);
      result.frames += 1;
      result.bytes += frame.data.length;
      send("answers", [answers++, 0, 1, pack({ type: "answer", frame: frame.id, kind: "none" })]);
    };
    pc.ondatachannel = ({ channel }) => {
      channel.binaryType = "arraybuffer";
      lanes[channel.label] = channel;
      channel.onmessage = ({ data }) => {
        clearTimeout(silence);
        silence = setTimeout(() => end("silence"), 4000);
        if (channel.label === "control") control(unpack(new Uint8Array(data)));
        else if (channel.label === "frames") fragment(new Uint8Array(data));
      };
      channel.onclose = () => end("closed");
    };
    pc.onicecandidate = ({ candidate }) => candidate?.candidate && told({ type: "candidate", candidate: candidate.candidate });
    (async () => {
      await pc.setRemoteDescription({ type: "offer", sdp: offer });
      const answer = await pc.createAnswer();
      await pc.setLocalDescription({ type: "answer", sdp: munge(answer.sdp) });
      told({ type: "answer", sdp: pc.localDescription.sdp });
    })().catch((error) => end(String(error)));
  });
}

globalThis.plumbClient = plumbClient;
