// The dashboard: figures and charts from one WebSocket, pictures from another.

import { draw, short } from "./charts.js";
import { Prover, nonce } from "./messages.js";
import { socketAt } from "./session.js";

/** Pause before a lost connection is tried again, in ms. */
const RETRY = 1000;

const at = (id) => document.getElementById(id);

/** An element with this text and class. */
export function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const ms = (us) => (us === null || us === undefined ? null : us / 1000);

/** The tiles: path in the session's report, label, how the value is shown, unit, and when it is bad. */
const TILES = [
  ["frames.sent", "sent"],
  ["frames.answered", "answered"],
  ["frames.dropped", "dropped", , "", (value) => value > 0],
  ["frames.lost", "lost", , "", (value) => value > 0],
  ["error_px.l1.mean", "mean error", , "px"],
  ["error_px.limit", "least error possible", , "px"],
  ["latency_us.p50", "latency, p50", ms, "ms"],
  ["latency_us.p99", "latency, p99", ms, "ms"],
  ["fps.answered", "answers per second", , "Hz"],
  ["frames.skipped", "skipped ticks", , "", (value) => value > 0],
];

/** The figures in the table, by heading. */
const FIGURES = {
  Frames: [
    ["frames.circle", "circles"], ["frames.no_circle", "no circle"], ["frames.missed", "missed"],
    ["frames.false_positive", "false positives"], ["frames.late", "answered too late"], ["frames.duplicate", "duplicates"],
    ["frames.invalid", "invalid answers"], ["frames.unresolved", "unresolved"], ["frames.warmup", "in the warm-up"],
    ["ignored_messages", "ignored messages"],
  ],
  Losses: [
    ["frames.lost_by.not_ready", "not encoded in time"], ["frames.lost_by.unsent", "not sent in time"],
    ["frames.lost_by.incomplete", "incomplete"], ["frames.lost_by.late", "answered late"],
    ["frames.lost_by.unanswered", "unanswered"],
  ],
  "Error, px": [
    ["error_px.l1.mean", "|dx| + |dy|, mean"], ["error_px.l1.p50", "p50"], ["error_px.l1.p95", "p95"],
    ["error_px.l1.p99", "p99"], ["error_px.l1.max", "max"], ["error_px.l1.sum", "sum"], ["error_px.bias.x", "bias in x"],
    ["error_px.bias.y", "bias in y"], ["error_px.efficiency", "efficiency"],
  ],
  "Latency, ms": [
    ["latency_us.p50", "p50", ms], ["latency_us.p95", "p95", ms], ["latency_us.p99", "p99", ms], ["latency_us.max", "max", ms],
    ["latency_us.stages.encode.p50", "encode, p50", ms], ["latency_us.stages.to_client.p50", "to the client, p50", ms],
    ["latency_us.stages.queue.p50", "queue, p50", ms], ["latency_us.stages.detect.p50", "pipeline, p50", ms],
    ["latency_us.stages.back.p50", "back, p50", ms],
  ],
  "Count and image": [
    ["count.exact", "counted exactly"], ["count.mean_error", "mean error"], ["image.identical", "identical pictures"],
    ["image.psnr_db.mean", "mean PSNR, dB"],
  ],
};

/** The value at a path of the report. */
const value = (report, path) => path.split(".").reduce((found, name) => found?.[name], report);

/** Text of an element, set only if it differs: a reader's selection stays. */
function put(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A socket that is opened again when it closes. It begins with a hello, and with the proof of the token if there is one. */
class Feed {
  constructor(path, token, received, changed) {
    Object.assign(this, { path, token, received, changed });
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    const socket = (this.socket = new WebSocket(socketAt(this.path())));
    socket.binaryType = "arraybuffer";
    const tell = (signal) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(signal));
    socket.onopen = async () => {
      this.changed(true);
      const hello = { type: "hello", plumb: 1, role: "sink" };
      const token = this.token();
      try {
        if (token) this.prover = await Prover.of(token, (hello.nonce = nonce()), "plumb page 1");
        tell(hello);
      } catch (error) {
        this.refused(error.message);
      }
    };
    socket.onmessage = async ({ data }) => {
      if (this.socket !== socket) return;
      if (data instanceof ArrayBuffer) return this.received(data);
      const message = JSON.parse(data);
      try {
        if (message.type === "challenge") tell({ type: "proof", proof: await this.prover.answer(message) });
        else if (message.type === "error") this.refused(message.reason);
        else this.received(message);
      } catch (error) {
        this.refused(error.message);
      }
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      if (!this.refusal) this.timer = setTimeout(() => this.open(), RETRY);
      this.changed(false, this.refusal);
    };
  }

  /** Another attempt makes sense only with another token. */
  refused(reason) {
    this.refusal = reason;
    this.socket.close();
  }

  /** Opens it anew: at another path, or with another token. */
  again() {
    const before = this.socket;
    this.refusal = null;
    this.open();
    before.close();
  }
}

export class Dashboard {
  /** `told(message)` is called with each message of figures; `token()` is what was typed as the token. */
  constructor(told, token) {
    this.told = told;
    this.asked = null;
    const path = (name) => () => (this.asked === null ? `/${name}` : `/${name}/${this.asked}`);
    this.tiles();
    const connected = (isOpen, refusal) => this.connected(isOpen, refusal);
    this.figures = new Feed(path("figures"), token, (message) => this.show(message), connected);
    this.frames = new Feed(path("frames"), token, (bytes) => this.picture(bytes), () => {});
  }

  connected(isOpen, refusal) {
    if (refusal) put(at("status"), `The dashboard is not shown: ${refusal}`);
    else if (!isOpen) put(at("status"), "no connection to the server: it has ended, or refuses this page");
    at("status").classList.toggle("bad", !isOpen);
  }

  /** Opens the connections anew, for example with another token. */
  again() {
    this.figures.again();
    this.frames.again();
  }

  /** Shows this session; `null` for whichever goes on. */
  ask(session) {
    this.asked = session;
    this.again();
  }

  show(message) {
    const { run, sessions, session, report, points, gates, chart } = message;
    put(at("run"), `task ${run.task}, ${run.size} ${run.pixel}, ${run.fps === "max" ? "as fast as possible" : `${run.fps} Hz`}, server ${run.version}`);
    const isIdle = !sessions.some((one) => !one.has_ended);
    at("start").hidden = !isIdle;
    at("session").hidden = session === null;
    put(at("status"), isIdle ? (session === null ? "waiting for a client" : "no client is here now") : `session ${session}${this.asked === null ? "" : " (chosen)"}`);
    this.list(sessions, session);
    this.told(message);
    this.shown = session;
    this.showPicture();
    if (session === null) return;
    this.client(report, session);
    this.table(report);
    const lost = (outcome) => outcome === 2;
    draw(at("latency"), (points ?? []).map(([, latency, , outcome]) => [latency, lost(outcome)]), "ms", "Latency");
    put(at("error-title"), chart.heading.charAt(0) + chart.heading.slice(1).toLowerCase());
    put(at("error-unit"), chart.unit);
    draw(at("error"), (points ?? []).map(([, , error, outcome]) => [error, lost(outcome)]), chart.unit, "Error");
    this.gates(gates);
    this.warnings(report?.warnings ?? []);
  }

  client(report, session) {
    const client = report?.client;
    const who = client ? `${client.name} ${client.version} at ${client.address} over ${client.link}` : "a client";
    const end = report && report.end.kind !== "running" ? `; ${report.end.kind.replaceAll("_", " ")}${report.end.reason ? `: ${report.end.reason}` : ""}` : "";
    put(at("who"), `Session ${session}: ${who}${end}`);
  }

  tiles() {
    this.values = [];
    for (const [path, label, convert, unit, isBad] of TILES) {
      const tile = element("div");
      const shown = element("b", "–");
      tile.append(element("span", label), shown);
      at("tiles").append(tile);
      this.values.push({ path, shown, convert, unit, isBad, holder: tile });
    }
    for (const [heading, rows] of Object.entries(FIGURES)) {
      const group = element("div", undefined, "group");
      const list = element("dl");
      for (const [path, label, convert] of rows) {
        const row = element("div");
        const shown = element("dd", "–");
        row.append(element("dt", label), shown);
        list.append(row);
        this.values.push({ path, shown, convert, holder: row, isOptional: true });
      }
      group.append(element("h3", heading), list);
      at("figures").append(group);
    }
  }

  table(report) {
    for (const { path, shown, convert, unit, isBad, holder, isOptional } of this.values) {
      const found = value(report, path);
      const number = typeof found === "number" ? found : null;
      put(shown, `${short(convert ? convert(number) : number)}${unit && number !== null ? ` ${unit}` : ""}`);
      shown.dataset.figure = path;
      shown.dataset.value = number === null ? "" : String(number);
      shown.classList.toggle("bad", Boolean(isBad?.(number)));
      if (isOptional) holder.hidden = number === null;
    }
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = [...group.querySelectorAll("dl > div")].every((row) => row.hidden);
    }
  }

  list(sessions, shown) {
    const buttons = sessions.map((one) => {
      const button = element("button", `${one.session}${one.name ? `: ${one.name}` : ""}`);
      button.type = "button";
      button.setAttribute("aria-pressed", String(one.session === shown));
      if (!one.has_ended) button.classList.add("live");
      button.title = one.has_ended ? "this session has ended" : "this session goes on";
      button.dataset.session = one.session;
      return button;
    });
    // Replaced only if something differs: the focus stays.
    const now = JSON.stringify([sessions, shown]);
    at("sessions").hidden = sessions.length < 2;
    if (now === this.listed) return;
    this.listed = now;
    const focused = document.activeElement?.dataset?.session;
    at("sessions").replaceChildren(...buttons);
    buttons.find((button) => button.dataset.session === focused)?.focus();
    buttons.forEach((button) => (button.onclick = () => this.ask(Number(button.dataset.session))));
  }

  gates(gates) {
    at("gates").hidden = gates.length === 0;
    const rows = gates.map((gate) => {
      const row = element("li");
      const name = { pass: "pass", fail: "FAIL", inconclusive: "inconclusive", no_data: "no data" }[gate.verdict] ?? gate.verdict;
      row.append(element("b", name, gate.verdict), element("code", gate.condition), element("span", gate.message));
      return row;
    });
    at("gate-list").replaceChildren(...rows);
  }

  warnings(warnings) {
    at("warnings").hidden = warnings.length === 0;
    at("warning-list").replaceChildren(
      ...warnings.map((warning) => element("li", [warning.message, warning.advice].filter(Boolean).join(": "))),
    );
  }

  /** Shows the picture unless it is of another session than the figures. Old sessions keep none. */
  showPicture() {
    at("live").hidden = this.pictured !== this.shown;
  }

  /** A picture: its head, and its pixels. */
  picture(bytes) {
    const length = new DataView(bytes).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    let place = 4 + length;
    const [frame, answer] = head.pictures.map(({ width, height, channels }) => {
      const pixels = new Uint8Array(bytes, place, width * height * channels);
      place += pixels.length;
      const image = new ImageData(width, height);
      for (let from = 0, to = 0; from < pixels.length; from += channels, to += 4) {
        for (let channel = 0; channel < 3; channel++) image.data[to + channel] = pixels[from + (channels === 1 ? 0 : channel)];
        image.data[to + 3] = 255;
      }
      return image;
    });
    paint(at("frame"), frame);
    mark(at("frame"), head);
    at("answer").hidden = !answer;
    if (answer) paint(at("answer"), answer);
    this.pictured = head.session;
    this.showPicture();
    const latency = head.latency_us === null ? "" : `, ${short(head.latency_us / 1000)} ms`;
    put(at("frame-name"), `Frame ${head.frame}: ${head.outcome}${latency}`);
    at("frame").setAttribute("aria-label", `Frame ${head.frame} of session ${head.session}, with truth and answer`);
    at("frame-figures").replaceChildren(
      ...head.figures.map(({ label, values, tone }) => {
        const row = element("div");
        row.append(element("dt", label), element("dd", values.map((one) => one ?? "–").join(", "), tone));
        return row;
      }),
    );
  }
}

function paint(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Draws truth and answer. Pixel centres are at whole coordinates, and the canvas counts from the corner. */
function mark(canvas, { truth, estimate, pictures: [{ step }] }) {
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  const thin = Math.max(1, canvas.width / 320);
  for (const [circle, name, dash] of [[truth, "--truth", []], [estimate, "--estimate", [4 * thin, 3 * thin]]]) {
    if (!circle) continue;
    const [x, y] = [(circle.x + 0.5) / step, (circle.y + 0.5) / step];
    context.strokeStyle = style.getPropertyValue(name);
    context.lineWidth = thin;
    context.setLineDash(dash);
    context.beginPath();
    if (circle.radius > 0) context.arc(x, y, circle.radius / step, 0, 2 * Math.PI);
    context.moveTo(x - 4 * thin, y);
    context.lineTo(x + 4 * thin, y);
    context.moveTo(x, y - 4 * thin);
    context.lineTo(x, y + 4 * thin);
    context.stroke();
  }
}
