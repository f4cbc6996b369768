// A source of frames that calls the client of this page: a session whose frames come from the page.

import { Joiner, Prover, fingerprint, nonce, pack } from "./messages.js";
import { Session, now } from "./session.js";

/** How long the answer to a frame may take, in ms. */
const DEADLINE = 5000;

/**
 * A session with the client of this page.
 *
 * `stream` is what the client is told of the frames. `handlers.opened()` is called when frames may be sent,
 * `handlers.answered(id, answer, milliseconds)` with each answer, `handlers.lost(id)` for each frame that gets none in time, and
 * `handlers.ended(reason)` once, after which nothing else is called.
 */
export class Source extends Session {
  constructor(stream, handlers, token) {
    super("client", handlers, token);
    this.stream = stream;
    this.frames = 0;
    this.pings = 0;
    this.unanswered = new Map();
    this.joiner = new Joiner(stream.window);
    for (const label of ["control", "frames", "answers"]) this.lane(this.connection.createDataChannel(label));
  }

  /** Whether the client may get one more frame. */
  get hasRoom() {
    return this.isOpen && this.unanswered.size < this.stream.window && !this.isFull("frames");
  }

  /** Sends a frame, and returns its id. `pixels` are those of the stream's form, in rows. */
  frame(pixels) {
    const id = this.frames++;
    const captured_us = now();
    const { width, height, pixel } = this.stream;
    const frame = pack({ type: "frame", id, captured_us, width, height, pixel, encoding: "raw", data: pixels });
    const limit = setTimeout(() => this.unanswered.delete(id) && this.handlers.lost(id), DEADLINE);
    this.unanswered.set(id, { captured_us, limit });
    this.send("frames", id, frame);
    return id;
  }

  hello() {
    this.tell({ type: "hello", plumb: 1, role: "source", features: [], link: "webrtc" });
  }

  async signal(signal) {
    switch (signal.type) {
      case "hello": return this.greet(signal);
      case "proof": return this.proved(signal);
      case "answer": return this.accept(signal);
      default: return super.signal(signal);
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
    super.lane(channel);
    channel.onopen = () => {
      if (Object.values(this.lanes).some(({ readyState }) => readyState !== "open")) return;
      this.say({ type: "hello", protocol: 1, name: "page", version: "1", role: "source", stream: this.stream });
    };
  }

  begin() {
    this.handlers.opened();
  }

  /** A camera may stand still, and both ends must be heard. */
  keepAlive() {
    this.say({ type: "ping", id: this.pings++ });
  }

  take(answer) {
    const frame = this.unanswered.get(answer?.frame);
    if (answer?.type !== "answer" || !frame) return;
    this.unanswered.delete(answer.frame);
    clearTimeout(frame.limit);
    this.handlers.answered(answer.frame, answer, (now() - frame.captured_us) / 1000);
  }

  end(reason) {
    for (const { limit } of this.unanswered.values()) clearTimeout(limit);
    // The connection stays open for a moment. An answer that comes then is of no frame any more.
    this.unanswered.clear();
    super.end(reason);
  }
}
