// A client of Plumb over WebRTC, as docs/protocol.md describes it. Signaling is a WebSocket at the server's port.

import { Joiner, Prover, fingerprint, nonce, pack, split, unpack } from "./messages.js";

/** What Chromium's UDP sockets hold. No page can enlarge it. */
const RECEIVE_BUFFER = 131072;

/**
 * Largest SCTP packet: with it a datagram takes 2 KiB of the receive buffer, as smaller ones do. Chromium takes up to 2,048
 * bytes. The server sends smaller packets where the path carries less.
 */
const MTU = 1600;

/** How long a link may take to open, and how long the server may be silent, in ms. */
const OPENING_LIMIT = 10000;
const SILENCE_LIMIT = 4500;

/** Bytes queued on a data channel at which further pieces wait. */
const QUEUED = 1 << 20;

const now = () => Math.round(performance.now() * 1000);

/** The address of a WebSocket of this page's server. */
export const socketAt = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

/**
 * A session with the server of this page.
 *
 * `handlers.opened(stream)` is called with the server's description of the stream, `handlers.frame(frame)` with each frame
 * and `handlers.ended(reason)` once.
 */
export class Client {
  constructor(handlers, token) {
    this.handlers = handlers;
    this.token = token;
    this.answers = 0;
    this.lanes = {};
    this.sending = Promise.resolve();
    this.hasEnded = false;
    this.wait(OPENING_LIMIT, "no link opened within 10 s");
    this.connection = new RTCPeerConnection({ iceServers: [] });
    this.connection.ondatachannel = ({ channel }) => this.lane(channel);
    this.connection.onicecandidate = ({ candidate }) =>
      candidate?.candidate && this.tell({ type: "candidate", candidate: candidate.candidate });
    this.socket = new WebSocket(socketAt("/signaling"));
    this.socket.onopen = () => this.attempt(() => this.hello());
    let reading = Promise.resolve();
    this.socket.onmessage = ({ data }) => (reading = reading.then(() => this.attempt(() => this.signal(JSON.parse(data)))));
    this.socket.onclose = () => this.lanes.control || this.end("the server closed the connection, or refuses this page");
  }

  /** Answers a frame with a kind and its fields. */
  answer(frame, kind, fields, times) {
    const message = pack({ type: "answer", frame, kind, ...fields, ...times, sent_us: now() });
    const id = this.answers++;
    // One after another: a large answer may wait for room.
    this.sending = this.sending.then(() => this.attempt(() => this.pieces(id, message)));
  }

  /** Leaves the session. */
  leave(reason) {
    this.send("control", { type: "bye", reason });
    this.tell({ type: "bye", reason });
    this.end(reason);
  }

  async pieces(id, message) {
    const lane = this.lanes.answers;
    const most = Math.min(65536, this.connection.sctp?.maxMessageSize || 65536);
    for (const piece of split(id, message, most)) {
      if (lane?.readyState !== "open") return;
      if (lane.bufferedAmount > QUEUED) {
        lane.bufferedAmountLowThreshold = QUEUED / 2;
        await new Promise((go) => lane.addEventListener("bufferedamountlow", go, { once: true }));
      }
      lane.send(piece);
    }
  }

  async hello() {
    const hello = { type: "hello", plumb: 1, role: "sink", mtu: MTU, receive_buffer: RECEIVE_BUFFER, features: ["lz4", "gray16"] };
    if (this.token) {
      hello.nonce = nonce();
      this.prover = await Prover.of(this.token, hello.nonce);
    }
    this.tell(hello);
  }

  async signal(signal) {
    switch (signal.type) {
      case "challenge":
        if (!this.prover) throw new Error("the server has a token: type it in the field");
        return this.tell({ type: "proof", proof: await this.prover.answer(signal) });
      case "offer": return this.accept(signal.sdp);
      case "proof": return this.prover?.check(signal.proof, "session", "source", this.fingerprints);
      case "error": return this.end(signal.reason);
      case "bye": return this.end(signal.reason ?? "the server left");
    }
  }

  async accept(offer) {
    if (this.token && !this.prover?.theirs) throw new Error("the server proves no token");
    await this.connection.setRemoteDescription({ type: "offer", sdp: offer });
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    const answer = { type: "answer", sdp: this.connection.localDescription.sdp };
    if (this.prover) {
      this.fingerprints = [fingerprint(offer), fingerprint(answer.sdp)];
      answer.proof = await this.prover.prove("session", "sink", this.fingerprints);
    }
    this.tell(answer);
  }

  lane(channel) {
    channel.binaryType = "arraybuffer";
    this.lanes[channel.label] = channel;
    channel.onclose = () => this.end("the link closed");
    channel.onmessage = ({ data }) => {
      this.heard = performance.now();
      const bytes = new Uint8Array(data);
      this.attempt(() => (channel.label === "control" ? this.control(unpack(bytes)) : this.fragment(bytes)));
    };
  }

  control(message) {
    switch (message.type) {
      case "hello": return this.begin(message);
      case "ping": return this.send("control", { type: "pong", id: message.id, received_us: now(), sent_us: now() });
      case "bye": return this.end(message.reason || "the server ended the session");
    }
  }

  begin(hello) {
    if (this.stream) return;
    this.stream = hello.stream;
    this.joiner = new Joiner(hello.stream.window);
    this.send("control", { type: "hello", protocol: 1, name: "page", version: "1", role: "sink" });
    this.watch();
    this.handlers.opened(hello.stream);
  }

  fragment(bytes) {
    const whole = this.joiner?.add(bytes);
    if (!whole) return;
    const frame = unpack(whole);
    frame.received_us = now();
    if (frame.type === "frame") this.handlers.frame(frame);
  }

  send(lane, message) {
    if (this.lanes[lane]?.readyState === "open") this.lanes[lane].send(pack(message));
  }

  tell(signal) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(signal));
  }

  /** Does this, and ends the session if it fails. */
  async attempt(step) {
    try {
      if (!this.hasEnded) await step();
    } catch (error) {
      this.leave(error.message);
    }
  }

  wait(limit, reason) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(reason), limit);
  }

  /** Looks now and then whether the server is silent. */
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (performance.now() - this.heard > SILENCE_LIMIT) this.end("the server is silent");
      else this.watch();
    }, 1000);
  }

  end(reason) {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearTimeout(this.timer);
    // What was said before is still sent.
    setTimeout(() => {
      this.connection.close();
      this.socket.close();
    }, 200);
    this.handlers.ended(reason);
  }
}
