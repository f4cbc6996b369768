// A session over WebRTC between a page and the program that it came from, as docs/protocol.md describes it. Signaling is a
// WebSocket at the program's port.

import { pack, split, unpack } from "./messages.js";

/** How long a link may take to open, and how long the peer may be silent, in ms. */
const OPENING_LIMIT = 10000;
const SILENCE_LIMIT = 4500;

/** Interval at which an open session looks whether the peer is silent, in ms. */
const LOOK = 1000;

/** Bytes of a fragment, at most: docs/protocol.md. */
const PIECE = 65536;

/** Bytes queued on a data channel at which further pieces wait. */
const QUEUED = 1 << 20;

/** The time, in µs. */
export const now = () => Math.round(performance.now() * 1000);

/** The address of a WebSocket of this page's program. */
export const socketAt = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

/**
 * A session with `peer`, which is "server" or "client". `handlers.ended(reason)` is called once.
 *
 * Each role has its own class: it says `hello`, takes a `signal`, begins (`begin`) when the peer has said hello on `control`, and
 * takes a whole message of frames or answers (`take`).
 */
export class Session {
  constructor(peer, handlers, token) {
    this.peer = peer;
    this.handlers = handlers;
    this.token = token;
    this.lanes = {};
    this.sending = Promise.resolve();
    this.isOpen = false;
    this.hasEnded = false;
    this.timer = setTimeout(() => this.end("no link opened within 10 s"), OPENING_LIMIT);
    this.connection = new RTCPeerConnection({ iceServers: [] });
    this.connection.onicecandidate = ({ candidate }) =>
      candidate?.candidate && this.tell({ type: "candidate", candidate: candidate.candidate });
    this.socket = new WebSocket(socketAt("/signaling"));
    this.socket.onopen = () => this.attempt(() => this.hello());
    let reading = Promise.resolve();
    this.socket.onmessage = ({ data }) => (reading = reading.then(() => this.attempt(() => this.signal(JSON.parse(data)))));
    this.socket.onclose = () => this.hasLink || this.end(`the ${peer} closed the connection, or refuses this page`);
  }

  /** Whether signaling has done its work, so that its end is not the session's. */
  get hasLink() {
    return this.isOpen;
  }

  /** Leaves the session. */
  leave(reason) {
    this.say({ type: "bye", reason });
    this.tell({ type: "bye", reason });
    this.end(reason);
  }

  signal(signal) {
    switch (signal.type) {
      case "error": return this.end(signal.reason);
      case "bye": return this.end(signal.reason ?? `the ${this.peer} left`);
    }
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
      case "hello": return this.isOpen || this.opened(message);
      case "ping": return this.say({ type: "pong", id: message.id, received_us: now(), sent_us: now() });
      case "bye": return this.end(message.reason || `the ${this.peer} left`);
    }
  }

  opened(hello) {
    this.isOpen = true;
    this.watch();
    this.begin(hello);
  }

  /** Looks now and then whether the peer is silent. */
  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (performance.now() - this.heard > SILENCE_LIMIT) return this.end(`the ${this.peer} is silent`);
      this.keepAlive();
      this.watch();
    }, LOOK);
  }

  /** What an open session says at each look. A role that is asked often enough says nothing. */
  keepAlive() {}

  fragment(bytes) {
    const whole = this.joiner?.add(bytes);
    if (whole) this.take(unpack(whole));
  }

  /** Whether a message would wait on this lane. */
  isFull(label) {
    return this.lanes[label].bufferedAmount >= QUEUED;
  }

  /** Sends a message in pieces, after those before it: a large one may wait for room. */
  send(label, id, message) {
    this.sending = this.sending.then(() => this.attempt(() => this.pieces(this.lanes[label], id, message)));
  }

  async pieces(lane, id, message) {
    const most = Math.min(PIECE, this.connection.sctp?.maxMessageSize || PIECE);
    for (const piece of split(id, message, most)) {
      if (lane?.readyState !== "open") return;
      if (lane.bufferedAmount > QUEUED) {
        lane.bufferedAmountLowThreshold = QUEUED / 2;
        await new Promise((go) => lane.addEventListener("bufferedamountlow", go, { once: true }));
      }
      lane.send(piece);
    }
  }

  /** Says a message on `control`. */
  say(message) {
    const { control } = this.lanes;
    if (control?.readyState === "open") control.send(pack(message));
  }

  /** Says a line of signaling. */
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
    // What was said before is still sent.
    setTimeout(() => {
      this.connection.close();
      this.socket.close();
    }, 200);
    this.handlers.ended(reason);
  }
}
