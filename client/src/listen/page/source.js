// A source of frames over WebRTC that calls a client, as docs/protocol.md describes it. Signaling is a WebSocket at the client's
// port.

import { Joiner, Prover, fingerprint, nonce, pack, split, unpack } from "./messages.js";

/** How long a link may take to open, and how long the client may be silent, in ms. */
const OPENING_LIMIT = 10000;
const SILENCE_LIMIT = 4500;

/** Interval of pings, in ms. A camera may stand still, and both ends must be heard. */
const PING = 1000;

/** How long the answer to a frame may take, in ms. */
const DEADLINE = 5000;

/** Bytes queued on a data channel at which further pieces wait. */
const QUEUED = 1 << 20;

const now = () => Math.round(performance.now() * 1000);

/**
 * A session with the client of this page.
 *
 * `stream` is what the client is told of the frames. `handlers.opened()` is called when frames may be sent,
 * `handlers.answered(id, answer, milliseconds)` with each answer, `handlers.lost(id)` for each frame that gets none in time, and
 * `handlers.ended(reason)` once, after which nothing else is called.
 */
export class Source {
  constructor(stream, handlers, token) {
    this.stream = stream;
    this.handlers = handlers;
    this.token = token;
    this.frames = 0;
    this.pings = 0;
    this.unanswered = new Map();
    this.joiner = new Joiner(stream.window);
    this.sending = Promise.resolve();
    this.isOpen = false;
    this.hasEnded = false;
    this.timer = setTimeout(() => this.end("no link opened within 10 s"), OPENING_LIMIT);
    this.connection = new RTCPeerConnection({ iceServers: [] });
    this.lanes = {};
    for (const label of ["control", "frames", "answers"]) this.lane(this.connection.createDataChannel(label));
    this.connection.onicecandidate = ({ candidate }) =>
      candidate?.candidate && this.tell({ type: "candidate", candidate: candidate.candidate });
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/signaling`);
    this.socket.onopen = () => this.tell({ type: "hello", plumb: 1, role: "source", features: [], link: "webrtc" });
    let reading = Promise.resolve();
    this.socket.onmessage = ({ data }) => (reading = reading.then(() => this.attempt(() => this.signal(JSON.parse(data)))));
    this.socket.onclose = () => this.isOpen || this.end("the client closed the connection, or refuses this page");
  }

  /** Whether the client may get one more frame. */
  get hasRoom() {
    return this.isOpen && this.unanswered.size < this.stream.window && this.lanes.frames.bufferedAmount < QUEUED;
  }

  /** Sends a frame, and returns its id. `pixels` are those of the stream's form, in rows. */
  send(pixels) {
    const id = this.frames++;
    const captured_us = now();
    const { width, height, pixel } = this.stream;
    const frame = pack({ type: "frame", id, captured_us, width, height, pixel, encoding: "raw", data: pixels });
    const limit = setTimeout(() => this.unanswered.delete(id) && this.handlers.lost(id), DEADLINE);
    this.unanswered.set(id, { captured_us, limit });
    this.sending = this.sending.then(() => this.attempt(() => this.pieces(id, frame)));
    return id;
  }

  /** Leaves the session. */
  leave(reason) {
    this.say({ type: "bye", reason });
    this.tell({ type: "bye", reason });
    this.end(reason);
  }

  async pieces(id, message) {
    const lane = this.lanes.frames;
    const most = Math.min(65536, this.connection.sctp?.maxMessageSize || 65536);
    for (const piece of split(id, message, most)) {
      if (lane.readyState !== "open") return;
      if (lane.bufferedAmount > QUEUED) {
        lane.bufferedAmountLowThreshold = QUEUED / 2;
        await new Promise((go) => lane.addEventListener("bufferedamountlow", go, { once: true }));
      }
      lane.send(piece);
    }
  }

  async signal(signal) {
    switch (signal.type) {
      case "hello": return this.greet(signal);
      case "proof": return this.proved(signal);
      case "answer": return this.accept(signal);
      case "error": return this.end(signal.reason);
      case "bye": return this.end(signal.reason ?? "the client left");
    }
  }

  /** The client has said hello. With a token, both prove it before anything is offered. */
  async greet(hello) {
    if (!hello.nonce && this.token) throw new Error("the client has no token");
    if (!hello.nonce) return this.offer();
    if (!this.token) throw new Error("the client has a token: type it in the field");
    this.prover = await Prover.of(this.token, hello.nonce);
    this.prover.theirs = nonce();
    this.prover.peer = "client";
    this.tell({ type: "challenge", nonce: this.prover.theirs, proof: await this.prover.prove("hello", "source", []) });
  }

  async proved({ proof }) {
    if (!this.prover || this.isProved) return;
    await this.prover.check(proof, "hello", "sink", []);
    this.isProved = true;
    return this.offer();
  }

  async offer() {
    const offer = await this.connection.createOffer();
    // Before its candidates.
    this.tell({ type: "offer", sdp: offer.sdp });
    await this.connection.setLocalDescription(offer);
  }

  async accept({ sdp, proof }) {
    if (this.prover) {
      const fingerprints = [fingerprint(this.connection.localDescription.sdp), fingerprint(sdp)];
      await this.prover.check(proof, "session", "sink", fingerprints);
      this.tell({ type: "proof", proof: await this.prover.prove("session", "source", fingerprints) });
    }
    await this.connection.setRemoteDescription({ type: "answer", sdp });
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
    channel.onopen = () => {
      if (Object.values(this.lanes).some(({ readyState }) => readyState !== "open")) return;
      this.say({ type: "hello", protocol: 1, name: "page", version: "1", role: "source", stream: this.stream });
    };
  }

  control(message) {
    switch (message.type) {
      case "hello": return this.begin();
      case "ping": return this.say({ type: "pong", id: message.id, received_us: now(), sent_us: now() });
      case "bye": return this.end(message.reason || "the client left");
    }
  }

  begin() {
    if (this.isOpen) return;
    this.isOpen = true;
    clearTimeout(this.timer);
    this.timer = setInterval(() => {
      if (performance.now() - this.heard > SILENCE_LIMIT) return this.end("the client is silent");
      this.say({ type: "ping", id: this.pings++ });
    }, PING);
    this.handlers.opened();
  }

  fragment(bytes) {
    const whole = this.joiner.add(bytes);
    const answer = whole && unpack(whole);
    const frame = this.unanswered.get(answer?.frame);
    if (answer?.type !== "answer" || !frame) return;
    this.unanswered.delete(answer.frame);
    clearTimeout(frame.limit);
    this.handlers.answered(answer.frame, answer, (now() - frame.captured_us) / 1000);
  }

  say(message) {
    if (this.lanes.control.readyState === "open") this.lanes.control.send(pack(message));
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

  end(reason) {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.isOpen = false;
    clearTimeout(this.timer);
    clearInterval(this.timer);
    for (const { limit } of this.unanswered.values()) clearTimeout(limit);
    // The connection stays open for a moment. An answer that comes then is of no frame any more.
    this.unanswered.clear();
    // What was said before is still sent.
    setTimeout(() => {
      this.connection.close();
      this.socket.close();
    }, 200);
    this.handlers.ended(reason);
  }
}
