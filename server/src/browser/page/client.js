// A client of the server of this page: a session whose frames come from the server.

import { Joiner, Prover, fingerprint, nonce, pack } from "./messages.js";
import { Session, now } from "./session.js";

/** What Chromium's UDP sockets hold. No page can enlarge it. */
const RECEIVE_BUFFER = 131072;

/**
 * Largest SCTP packet: with it a datagram takes 2 KiB of the receive buffer, as smaller ones do. Chromium takes up to 2,048
 * bytes. The server sends smaller packets where the path carries less.
 */
const MTU = 1600;

/**
 * A session with the server of this page.
 *
 * `handlers.opened(stream)` is called with the server's description of the stream, `handlers.frame(frame)` with each frame
 * and `handlers.ended(reason)` once.
 */
export class Client extends Session {
  constructor(handlers, token) {
    super("server", handlers, token);
    this.answers = 0;
    this.connection.ondatachannel = ({ channel }) => this.lane(channel);
  }

  get hasLink() {
    return Boolean(this.lanes.control);
  }

  /** Answers a frame with a kind and its fields. */
  answer(frame, kind, fields, times) {
    const message = pack({ type: "answer", frame, kind, ...fields, ...times, sent_us: now() });
    this.send("answers", this.answers++, message);
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
      default: return super.signal(signal);
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

  begin({ stream }) {
    this.joiner = new Joiner(stream.window);
    this.say({ type: "hello", protocol: 1, name: "page", version: "1", role: "sink" });
    this.handlers.opened(stream);
  }

  take(frame) {
    frame.received_us = now();
    if (frame.type === "frame") this.handlers.frame(frame);
  }
}
